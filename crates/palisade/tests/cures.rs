//! The cure of every compile-fail case: each module is the twin of a case under `tests/ui`, and all of them compile.
//!
//! One binary holds them all, since to link each by itself takes minutes and gigabytes.

#![allow(dead_code, missing_docs, unused_variables)]

#[path = "ui/access/pass/action_that_is_none.rs"]
mod access_action_that_is_none;
#[path = "ui/access/pass/claimed_id_as_argument.rs"]
mod access_claimed_id_as_argument;
#[path = "ui/access/pass/claimed_id_as_guard.rs"]
mod access_claimed_id_as_guard;
#[path = "ui/access/pass/first_argument_is_no_guard.rs"]
mod access_first_argument_is_no_guard;
#[path = "ui/access/pass/fresh_for_no_time.rs"]
mod access_fresh_for_no_time;
#[path = "ui/access/pass/guard_comes_second.rs"]
mod access_guard_comes_second;
#[path = "ui/access/pass/missing_policy.rs"]
mod access_missing_policy;
#[path = "ui/access/pass/no_arguments.rs"]
mod access_no_arguments;
#[path = "ui/access/pass/permission_name_computed.rs"]
mod access_permission_name_computed;
#[path = "ui/access/pass/permission_name_with_blanks.rs"]
mod access_permission_name_with_blanks;
#[path = "ui/access/pass/permission_that_is_none.rs"]
mod access_permission_that_is_none;
#[path = "ui/access/pass/permission_without_a_name.rs"]
mod access_permission_without_a_name;
#[path = "ui/access/pass/permissions_of_one_name.rs"]
mod access_permissions_of_one_name;
#[path = "ui/access/pass/permissions_with_a_comma.rs"]
mod access_permissions_with_a_comma;
#[path = "ui/access/pass/role_of_no_permission.rs"]
mod access_role_of_no_permission;
#[path = "ui/auth/pass/api_client_without_a_scope.rs"]
mod auth_api_client_without_a_scope;
#[path = "ui/auth/pass/jwt_claims_of_any_shape.rs"]
mod auth_jwt_claims_of_any_shape;
#[path = "ui/auth/pass/jwt_without_an_audience.rs"]
mod auth_jwt_without_an_audience;
#[path = "ui/auth/pass/jwt_without_an_issuer.rs"]
mod auth_jwt_without_an_issuer;
#[path = "ui/auth/pass/password_compared.rs"]
mod auth_password_compared;
#[path = "ui/auth/pass/password_hash_compared.rs"]
mod auth_password_hash_compared;
#[path = "ui/auth/pass/password_hash_in_an_output.rs"]
mod auth_password_hash_in_an_output;
#[path = "ui/auth/pass/password_in_an_output.rs"]
mod auth_password_in_an_output;
#[path = "ui/auth/pass/password_kept_unhashed.rs"]
mod auth_password_kept_unhashed;
#[path = "ui/auth/pass/scope_that_is_none.rs"]
mod auth_scope_that_is_none;
#[path = "ui/auth/pass/scope_without_a_plain_name.rs"]
mod auth_scope_without_a_plain_name;
#[path = "ui/db/pass/brace_that_is_not_closed.rs"]
mod db_brace_that_is_not_closed;
#[path = "ui/db/pass/choice_without_a_column.rs"]
mod db_choice_without_a_column;
#[path = "ui/db/pass/claimed_id_bound.rs"]
mod db_claimed_id_bound;
#[path = "ui/db/pass/column_of_no_known_type.rs"]
mod db_column_of_no_known_type;
#[path = "ui/db/pass/columns_of_no_table.rs"]
mod db_columns_of_no_table;
#[path = "ui/db/pass/columns_on_a_struct.rs"]
mod db_columns_on_a_struct;
#[path = "ui/db/pass/empty_braces.rs"]
mod db_empty_braces;
#[path = "ui/db/pass/export_of_another_view.rs"]
mod db_export_of_another_view;
#[path = "ui/db/pass/export_of_what_nobody_owns.rs"]
mod db_export_of_what_nobody_owns;
#[path = "ui/db/pass/one_value_as_a_list.rs"]
mod db_one_value_as_a_list;
#[path = "ui/db/pass/order_by_a_text.rs"]
mod db_order_by_a_text;
#[path = "ui/db/pass/owner_that_is_no_account.rs"]
mod db_owner_that_is_no_account;
#[path = "ui/db/pass/owner_that_is_no_field.rs"]
mod db_owner_that_is_no_field;
#[path = "ui/db/pass/page_of_a_row.rs"]
mod db_page_of_a_row;
#[path = "ui/db/pass/password_bound.rs"]
mod db_password_bound;
#[path = "ui/db/pass/placeholder_by_hand.rs"]
mod db_placeholder_by_hand;
#[path = "ui/db/pass/plain_struct_as_row.rs"]
mod db_plain_struct_as_row;
#[path = "ui/db/pass/resource_on_an_enum.rs"]
mod db_resource_on_an_enum;
#[path = "ui/db/pass/resource_without_id.rs"]
mod db_resource_without_id;
#[path = "ui/db/pass/resource_without_owner.rs"]
mod db_resource_without_owner;
#[path = "ui/db/pass/resource_without_table.rs"]
mod db_resource_without_table;
#[path = "ui/db/pass/row_that_the_statement_does_not_name.rs"]
mod db_row_that_the_statement_does_not_name;
#[path = "ui/db/pass/rows_detached_from_who_must_be_there.rs"]
mod db_rows_detached_from_who_must_be_there;
#[path = "ui/db/pass/rows_neither_removed_nor_detached.rs"]
mod db_rows_neither_removed_nor_detached;
#[path = "ui/db/pass/rows_that_outlive_their_owner.rs"]
mod db_rows_that_outlive_their_owner;
#[path = "ui/db/pass/secret_bound.rs"]
mod db_secret_bound;
#[path = "ui/db/pass/stream_beside_its_transaction.rs"]
mod db_stream_beside_its_transaction;
#[path = "ui/db/pass/stream_of_a_write.rs"]
mod db_stream_of_a_write;
#[path = "ui/db/pass/string_with_escapes.rs"]
mod db_string_with_escapes;
#[path = "ui/db/pass/struct_bound.rs"]
mod db_struct_bound;
#[path = "ui/db/pass/table_dropped_by_a_statement.rs"]
mod db_table_dropped_by_a_statement;
#[path = "ui/db/pass/text_from_a_variable.rs"]
mod db_text_from_a_variable;
#[path = "ui/db/pass/text_made_by_format.rs"]
mod db_text_made_by_format;
#[path = "ui/db/pass/two_statements.rs"]
mod db_two_statements;
#[path = "ui/db/pass/unknown_option.rs"]
mod db_unknown_option;
#[path = "ui/db/pass/unscoped_without_a_reason.rs"]
mod db_unscoped_without_a_reason;
#[path = "ui/db/pass/value_inside_quotes.rs"]
mod db_value_inside_quotes;
#[path = "ui/db/pass/write_hidden_in_a_select.rs"]
mod db_write_hidden_in_a_select;
#[path = "ui/db/pass/write_through_a_reader.rs"]
mod db_write_through_a_reader;
#[path = "ui/endpoint/pass/attribute_on_a_struct.rs"]
mod endpoint_attribute_on_a_struct;
#[path = "ui/endpoint/pass/bytes_as_argument.rs"]
mod endpoint_bytes_as_argument;
#[path = "ui/endpoint/pass/foreign_json_extractor.rs"]
mod endpoint_foreign_json_extractor;
#[path = "ui/endpoint/pass/forgotten_async.rs"]
mod endpoint_forgotten_async;
#[path = "ui/endpoint/pass/generic_handler.rs"]
mod endpoint_generic_handler;
#[path = "ui/endpoint/pass/get_that_can_write.rs"]
mod endpoint_get_that_can_write;
#[path = "ui/endpoint/pass/idempotent_for_anybody.rs"]
mod endpoint_idempotent_for_anybody;
#[path = "ui/endpoint/pass/idempotent_get.rs"]
mod endpoint_idempotent_get;
#[path = "ui/endpoint/pass/limit_that_is_no_rate.rs"]
mod endpoint_limit_that_is_no_rate;
#[path = "ui/endpoint/pass/list_of_calls.rs"]
mod endpoint_list_of_calls;
#[path = "ui/endpoint/pass/map_as_argument.rs"]
mod endpoint_map_as_argument;
#[path = "ui/endpoint/pass/misspelt_parameter_of_a_path.rs"]
mod endpoint_misspelt_parameter_of_a_path;
#[path = "ui/endpoint/pass/misspelt_parameter_of_a_resource.rs"]
mod endpoint_misspelt_parameter_of_a_resource;
#[path = "ui/endpoint/pass/no_path.rs"]
mod endpoint_no_path;
#[path = "ui/endpoint/pass/no_return_type.rs"]
mod endpoint_no_return_type;
#[path = "ui/endpoint/pass/parameter_that_nobody_reads.rs"]
mod endpoint_parameter_that_nobody_reads;
#[path = "ui/endpoint/pass/parameter_with_a_colon.rs"]
mod endpoint_parameter_with_a_colon;
#[path = "ui/endpoint/pass/path_without_slash.rs"]
mod endpoint_path_without_slash;
#[path = "ui/endpoint/pass/public_writer_without_limit.rs"]
mod endpoint_public_writer_without_limit;
#[path = "ui/endpoint/pass/resource_without_parameter.rs"]
mod endpoint_resource_without_parameter;
#[path = "ui/endpoint/pass/return_without_result.rs"]
mod endpoint_return_without_result;
#[path = "ui/endpoint/pass/size_without_unit.rs"]
mod endpoint_size_without_unit;
#[path = "ui/endpoint/pass/struct_in_the_list.rs"]
mod endpoint_struct_in_the_list;
#[path = "ui/endpoint/pass/text_as_argument.rs"]
mod endpoint_text_as_argument;
#[path = "ui/endpoint/pass/timeout_without_unit.rs"]
mod endpoint_timeout_without_unit;
#[path = "ui/endpoint/pass/two_bodies.rs"]
mod endpoint_two_bodies;
#[path = "ui/endpoint/pass/unknown_option.rs"]
mod endpoint_unknown_option;
#[path = "ui/endpoint/pass/whole_request_as_argument.rs"]
mod endpoint_whole_request_as_argument;
#[path = "ui/input/pass/alias_of_text.rs"]
mod input_alias_of_text;
#[path = "ui/input/pass/float_without_bounds.rs"]
mod input_float_without_bounds;
#[path = "ui/input/pass/free_form_body.rs"]
mod input_free_form_body;
#[path = "ui/input/pass/free_form_json.rs"]
mod input_free_form_json;
#[path = "ui/input/pass/generic_input.rs"]
mod input_generic_input;
#[path = "ui/input/pass/input_on_a_function.rs"]
mod input_input_on_a_function;
#[path = "ui/input/pass/list_of_unbounded_text.rs"]
mod input_list_of_unbounded_text;
#[path = "ui/input/pass/list_without_maximum.rs"]
mod input_list_without_maximum;
#[path = "ui/input/pass/map_without_maximum.rs"]
mod input_map_without_maximum;
#[path = "ui/input/pass/nested_type_that_is_no_input.rs"]
mod input_nested_type_that_is_no_input;
#[path = "ui/input/pass/number_without_bounds.rs"]
mod input_number_without_bounds;
#[path = "ui/input/pass/optional_text_without_maximum.rs"]
mod input_optional_text_without_maximum;
#[path = "ui/input/pass/secret_from_a_client.rs"]
mod input_secret_from_a_client;
#[path = "ui/input/pass/skipped_rule.rs"]
mod input_skipped_rule;
#[path = "ui/input/pass/text_as_body.rs"]
mod input_text_as_body;
#[path = "ui/input/pass/text_with_a_minimum_only.rs"]
mod input_text_with_a_minimum_only;
#[path = "ui/input/pass/text_without_maximum.rs"]
mod input_text_without_maximum;
#[path = "ui/input/pass/trusted_id_from_a_client.rs"]
mod input_trusted_id_from_a_client;
#[path = "ui/input/pass/tuple_struct.rs"]
mod input_tuple_struct;
#[path = "ui/input/pass/type_that_is_no_input.rs"]
mod input_type_that_is_no_input;
#[path = "ui/input/pass/unknown_option.rs"]
mod input_unknown_option;
#[path = "ui/input/pass/variants_without_a_tag.rs"]
mod input_variants_without_a_tag;
#[path = "ui/output/pass/bare_row_as_answer.rs"]
mod output_bare_row_as_answer;
#[path = "ui/output/pass/foreign_response.rs"]
mod output_foreign_response;
#[path = "ui/output/pass/free_form_answer.rs"]
mod output_free_form_answer;
#[path = "ui/output/pass/free_form_json_in_an_output.rs"]
mod output_free_form_json_in_an_output;
#[path = "ui/output/pass/list_of_rows_in_an_output.rs"]
mod output_list_of_rows_in_an_output;
#[path = "ui/output/pass/page_of_rows.rs"]
mod output_page_of_rows;
#[path = "ui/output/pass/password_in_an_output.rs"]
mod output_password_in_an_output;
#[path = "ui/output/pass/row_as_answer.rs"]
mod output_row_as_answer;
#[path = "ui/output/pass/row_in_an_output.rs"]
mod output_row_in_an_output;
#[path = "ui/output/pass/secret_in_an_output.rs"]
mod output_secret_in_an_output;
#[path = "ui/output/pass/text_as_answer.rs"]
mod output_text_as_answer;
#[path = "ui/output/pass/tuple_struct.rs"]
mod output_tuple_struct;
#[path = "ui/output/pass/unknown_option.rs"]
mod output_unknown_option;
#[path = "ui/output/pass/variants_without_a_tag.rs"]
mod output_variants_without_a_tag;
#[path = "ui/problem/pass/computed_title.rs"]
mod problem_computed_title;
#[path = "ui/problem/pass/formatted_detail.rs"]
mod problem_formatted_detail;
#[path = "ui/problem/pass/no_status.rs"]
mod problem_no_status;
#[path = "ui/problem/pass/placeholder_in_text.rs"]
mod problem_placeholder_in_text;
#[path = "ui/problem/pass/status_of_success.rs"]
mod problem_status_of_success;
#[path = "ui/problem/pass/struct_not_enum.rs"]
mod problem_struct_not_enum;
#[path = "ui/problem/pass/text_of_the_cause.rs"]
mod problem_text_of_the_cause;
#[path = "ui/secret/pass/compared.rs"]
mod secret_compared;
#[path = "ui/secret/pass/computed_purpose.rs"]
mod secret_computed_purpose;
#[path = "ui/secret/pass/derived_eq.rs"]
mod secret_derived_eq;
#[path = "ui/secret/pass/formatted.rs"]
mod secret_formatted;
#[path = "ui/secret/pass/not_wipeable.rs"]
mod secret_not_wipeable;
#[path = "ui/secret/pass/printed_with_display.rs"]
mod secret_printed_with_display;
#[path = "ui/secret/pass/serialized.rs"]
mod secret_serialized;
#[path = "ui/secret/pass/turned_to_string.rs"]
mod secret_turned_to_string;
#[path = "ui/secret/pass/two_compared.rs"]
mod secret_two_compared;
#[path = "ui/settings/pass/default_out_of_range.rs"]
mod settings_default_out_of_range;
#[path = "ui/settings/pass/default_secret.rs"]
mod settings_default_secret;
#[path = "ui/settings/pass/not_settings.rs"]
mod settings_not_settings;
#[path = "ui/settings/pass/plain_text_secret.rs"]
mod settings_plain_text_secret;
#[path = "ui/settings/pass/range_on_text.rs"]
mod settings_range_on_text;
#[path = "ui/settings/pass/tuple_struct.rs"]
mod settings_tuple_struct;
#[path = "ui/settings/pass/unknown_option.rs"]
mod settings_unknown_option;
#[path = "ui/settings/pass/unsupported_type.rs"]
mod settings_unsupported_type;
