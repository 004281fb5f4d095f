//! What expansions of the macros name; not for people.

pub use crate::config;
pub use crate::db::{
    Builder, ColumnOf, DbError, Migration, Migrations, OrderBy, RESOURCES, RawRow, Reading,
    Resource, ResourceInfo, Row, STATEMENTS, Sql, StatementInfo, Typed, Untyped, Whatever, Writing,
    bind, column_of, columns_of,
};
pub use http;
pub use linkme;
pub use uuid::Uuid;
