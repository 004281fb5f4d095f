//! A web framework in which the insecure path does not compile.
//!
//! Start with [`prelude`]; the guide lies in `docs/`.

// The macros name everything through `::palisade`, also here.
extern crate self as palisade;

pub mod access;
pub mod app;
pub mod auth;
pub mod config;
pub mod db;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod input;
pub mod mail;
pub mod output;
pub mod perimeter;
pub mod prelude;
pub mod secret;
pub mod store;

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::{Error, Result};
/// Makes an enum the columns that a list may be ordered by, for `{order: choice}` in [`sql!`].
///
/// `on` names the table, or whatever stands after `from`: each choice is tried on it when the app starts.
///
/// # Example
/// ```
/// use palisade::prelude::*;
///
/// #[columns(on = "notes")]
/// enum NoteOrder {
///     #[column("title")]
///     Title,
///     #[column("created_at desc")]
///     Newest,
/// }
/// ```
pub use palisade_macros::columns;
/// Makes an `async fn` answer `DELETE` at a path. See [`get`] and [`post`].
pub use palisade_macros::delete;
/// Makes an `async fn` answer `GET` at a path: `#[get("/notes/{note}")]`.
///
/// The first argument is a guard and says who may call it; the others are `Db`, inputs and services. The function stays an
/// ordinary one that a unit test can call. A `GET` handler takes a `ReadDb`: it has no way to write.
///
/// # Example
/// ```
/// use palisade::prelude::*;
///
/// #[output]
/// struct Hello { text: &'static str }
///
/// #[get("/hello")]
/// async fn hello(_: Public) -> Result<Json<Hello>> {
///     Ok(Json(Hello { text: "hello" }))
/// }
/// ```
pub use palisade_macros::get;
/// Makes a struct or an enum an input: every member declared and bounded, unknown ones refused, all errors told at once.
///
/// Bounded types (`Text<1, 200>`, `Email`, `List<T, 20>`, `Int<1, 500>`) carry their rule. A plain `String`, number or `Vec`
/// wants a garde rule. On the type: `rename_all = "camelCase"`, `tag = "kind"` for enums with members, `strip_unknown` for
/// what other services send. On a field: `#[input(rename = "…", default = …)]`.
///
/// # Example
/// ```
/// use palisade::prelude::*;
///
/// #[input]
/// struct NewNote {
///     title: Text<1, 200>,
///     #[garde(range(min = 1, max = 5))]
///     stars: u8,
///     tags: List<Slug, 10>,
/// }
/// ```
pub use palisade_macros::input;
/// Makes an `async fn` that builds the app the program's entry point, which answers `serve` (the default), `check`,
/// `migrate`, `routes`, `grant`, `revoke` and `--help`. See [`App`](app::App).
pub use palisade_macros::main;
/// Embeds the migrations of a folder beside Cargo.toml: files like `0001_notes.sql`, in their order.
pub use palisade_macros::migrations;
/// Makes a struct or an enum an output: what leaves the server is what it lists.
///
/// `#[output(from = Note)]` fills it from a row by field name; `#[output(with = path)]` on a field converts, and
/// `#[output(from = other)]` takes another field.
///
/// # Example
/// ```
/// use palisade::prelude::*;
///
/// #[output]
/// struct NoteView { title: String, stars: u8 }
/// ```
pub use palisade_macros::output;
/// Makes an `async fn` answer `PATCH` at a path. See [`get`] and [`post`].
pub use palisade_macros::patch;
/// Declares what accounts may do everywhere, each as a type of its own with its name in logs and tables.
///
/// A handler asks for one by `Can<ManageAccounts>`, and a [`Role`](access::Role) carries it. An app does not start
/// when two have one name, or when a handler asks for one that no role carries.
///
/// # Example
/// ```
/// use palisade::prelude::*;
///
/// permissions! {
///     /// To publish what others wrote.
///     pub Publish = "notes.publish";
///     /// To read every note.
///     pub(crate) Moderate = "notes.moderate";
/// }
///
/// #[post("/notes/publish")]
/// async fn publish(by: Can<Publish>) -> Result<NoContent> { Ok(NoContent) }
/// ```
pub use palisade_macros::permissions;
/// Makes an `async fn` answer `POST` at a path; `limit = "30/min"`, `body = "2 MiB"` and `timeout = "30s"` set limits of its own, and
/// `idempotent` has it done once for each `Idempotency-Key` of a caller. See [`get`].
pub use palisade_macros::post;
/// Makes an `async fn` answer `PUT` at a path. See [`get`] and [`post`].
pub use palisade_macros::put;
/// Makes a struct a row of a table with an id and an owner: `#[resource(table = "notes", owner = "owner_id")]`.
///
/// A statement of the app that touches the table without naming the owner column keeps the app from starting. What belongs
/// to nobody says so: `unowned = "reason"`.
///
/// When an account is deleted, the rows that it owns go with it. Where the owner's field is an `Option<Id<Account>>` that is said:
/// `on_delete = "remove"`, or `on_delete = "detach"` for rows that stay without an owner. `export = NoteView`, an
/// `#[output(from = Note)]`, makes the rows part of the export of their owner's account.
///
/// # Example
/// ```
/// use palisade::prelude::*;
///
/// #[resource(table = "notes", owner = "owner_id", export = NoteView)]
/// struct Note { id: Id<Note>, owner_id: Id<Account>, title: String }
///
/// #[output(from = Note)]
/// struct NoteView { id: Id<Note>, title: String }
/// ```
pub use palisade_macros::resource;
/// Lists handlers by name, for [`App::routes`](app::App::routes): `routes![create, notes::show]`.
pub use palisade_macros::routes;
/// Makes a struct a row of the statements that name it: `sql!(TagCount, "select …")`.
///
/// # Example
/// ```
/// use palisade::prelude::*;
///
/// #[row]
/// struct TagCount { tag: String, count: i64 }
/// ```
pub use palisade_macros::row;
/// Makes a struct the app's settings: read from `[app]` in `palisade.toml` and from `PALISADE_APP__…`, checked at start.
///
/// A field is required unless it has `#[setting(default = …)]` or is an `Option`; `range = 1..=100` limits what has an
/// order, `length = 1..=80` text and lists. A field of another `#[settings]` type is a table. `Clone` and a `Debug` that
/// redacts secrets come with it.
///
/// # Example
/// ```
/// use palisade::config::{self, Sources};
/// use palisade::secret::Secret;
///
/// #[palisade::settings]
/// struct Settings {
///     #[setting(default = "Notes", length = 1..=80)]
///     title: String,
///     #[setting(default = 20, range = 1..=100)]
///     per_page: u32,
///     mail_key: Option<Secret<String>>,
/// }
///
/// let sources = Sources::new("/nowhere", [("PALISADE_APP__PER_PAGE", "50")]);
/// let settings = config::load::<Settings>(&sources).settings.expect("each of them could be read");
/// assert_eq!((settings.title.as_str(), settings.per_page), ("Notes", 50));
/// assert!(settings.mail_key.is_none());
/// ```
pub use palisade_macros::settings;
/// Makes a statement of one literal: `{expr}` is bound, `{..list}` is a list for `in (…)`, `{order: choice}` a column of a
/// `#[columns]` enum, `{sql: piece}` a condition made by `sql!("…", on = "table")`.
///
/// Every statement is prepared against the real schema when the app starts. `sql!(Row, "…")` names a `#[row]` type.
/// `unscoped = "reason"` lets it touch an owned table without naming the owner column.
///
/// # Security
/// The text comes from the code alone: what is not a literal does not compile, and values are bound parameters.
///
/// # Example
/// ```
/// use palisade::prelude::*;
///
/// async fn count(db: &ReadDb, owner: Id<Account>) -> Result<i64> {
///     sql!("select count(*) from notes where owner_id = {owner}").one(db).await
/// }
/// ```
pub use palisade_macros::sql;

// The examples of the front page are tested like all others.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct FrontPage;

// So are those of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/data.md")]
struct Data;

// So are those of the tutorial, which uses `testing`.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../../docs/tutorial.md")]
struct Tutorial;
