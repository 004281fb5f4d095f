//! What expansions of the macros name; not for people.

pub use crate::app::{Package, run};
pub use crate::config;
pub use crate::db::{
    Builder, ColumnOf, DbError, Migration, Migrations, OrderBy, RESOURCES, RawRow, Reading,
    Resource, ResourceInfo, Row, STATEMENTS, Sql, StatementInfo, Typed, Untyped, Whatever, Writing,
    bind, column_of, columns_of,
};
pub use crate::endpoint::{
    ArgumentOf, Endpoint, Route, Routes, argument_of, check_bodies, check_params, guard_of, reply,
    route_of, take,
};
pub use crate::input::{Field, FieldOf, Input, Node, Reader, check_rules, field_of, raw_field_of};
pub use crate::output::{Output, begin as output_begin, field as output_field};
pub use http;
pub use linkme;
pub use serde;
pub use uuid::Uuid;
