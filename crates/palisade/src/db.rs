//! What is kept: statements that are literals, values that are bound, rows that are typed.
//!
//! Holds OWASP API1 (object level authorization) and the SQL injection row of the checklist: a statement's text comes from
//! the code alone, and everything else is a bound parameter.

mod cell;
mod check;
mod clock;
mod erasure;
mod error;
mod handle;
mod migrations;
mod page;
mod pools;
mod row;
mod standing;
mod statement;
mod stream;
mod value;

pub use cell::{Cell, Column, ColumnError, Kind};
pub(crate) use check::check_erasure;
pub use check::{
    Fault, ORDERS, OrderInfo, RESOURCES, ResourceInfo, STATEMENTS, StatementInfo, check,
};
#[doc(hidden)]
pub use erasure::{
    Erasure, Export, ExportRows, OwnedByOthers, OwnerOf, OwnerProbe, detachable, owner_of, said,
};
pub(crate) use erasure::{erase, exports, unexported};
pub use error::{DbError, is_unique_violation};
pub use handle::{Db, DbOptions, ReadDb, Runs, Streams, Tx};
pub use migrations::{Migration, Migrations};
pub use page::{Page, PageRequest};
pub(crate) use row::scalars;
pub use row::{ColumnInfo, ColumnOf, RawRow, Resource, Row, Untyped, column_of, columns_of, load};
pub use statement::{Builder, OrderBy, Piece, Reading, Sql, Typed, Whatever, Writing};
pub use stream::RowStream;
pub use value::{Bind, BindList, Value, bind};
