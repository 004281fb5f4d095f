//! What expansions of the macros name; not for people.

pub use crate::access::{PERMISSIONS, Permission, permission_type};
pub use crate::app::{Package, run};
pub use crate::config;
pub use crate::db::{
    Bind, Builder, Cell, Column, ColumnError, ColumnInfo, ColumnOf, DbError, Erasure, Export, Kind,
    Migration, Migrations, ORDERS, OrderBy, OrderInfo, OwnedByOthers, OwnerProbe, RESOURCES,
    RawRow, Reading, Resource, ResourceInfo, Row, STATEMENTS, Sql, StatementInfo, Typed, Untyped,
    Value, Whatever, Writing, bind, column_of, columns_of, detachable, owner_of, said,
};
pub use crate::endpoint::{
    ArgumentOf, Endpoint, Route, Routes, argument_of, check_bodies, check_params, guard_of, once,
    reply, route_of, take, take_guard,
};
pub use crate::input::{
    Field, FieldOf, Input, Node, PermissionType, Reader, check_rules, field_of, raw_field_of,
    read_json, read_name,
};
pub use crate::output::{Output, begin as output_begin, field as output_field, write_json};
pub use crate::output::{ViewOf, export_rows};
pub use http;
pub use linkme;
pub use serde;
pub use uuid::Uuid;
