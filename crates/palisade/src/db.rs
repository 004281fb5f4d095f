//! What is kept: statements that are literals, values that are bound, rows that are typed.
//!
//! Holds OWASP API1 (object level authorization) and the SQL injection row of the checklist: a statement's text comes from
//! the code alone, and everything else is a bound parameter.

mod cell;
mod check;
mod error;
mod handle;
mod migrations;
mod page;
mod pools;
mod row;
mod standing;
mod statement;
mod value;

pub use cell::{Cell, Column, ColumnError};
pub use check::{Fault, RESOURCES, ResourceInfo, STATEMENTS, StatementInfo, check};
pub use error::{DbError, is_unique_violation};
pub use handle::{Db, DbOptions, ReadDb, Runs, Tx};
pub use migrations::{Migration, Migrations};
pub use page::{Page, PageRequest};
pub use row::{ColumnOf, RawRow, Resource, Row, Untyped, column_of, columns_of, load};
pub use statement::{Builder, OrderBy, Piece, Reading, Sql, Typed, Whatever, Writing};
pub use value::{Bind, Value, bind};
