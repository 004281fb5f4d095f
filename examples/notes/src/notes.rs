//! Notes: the owner edits, shares and deletes; those it is shared with read.

use palisade::endpoint::Routes;
use palisade::prelude::*;

/// What a client sends to make a note.
#[input]
struct NewNote {
    title: Text<1, 200>,
    body: RichText<10_000>,
    #[garde(range(min = 1, max = 5))]
    stars: u8,
    #[input(default = None)]
    tags: Option<Set<Slug, 10>>,
}

/// What a client sends to change one; what is absent stays.
#[input]
struct NoteEdit {
    title: Option<Text<1, 200>>,
    body: Option<RichText<10_000>>,
    stars: Option<Int<1, 5>>,
    tags: Option<Set<Slug, 10>>,
}

/// Whom a note is shared with.
#[input]
struct NewShare {
    email: Email,
}

/// What a list may be narrowed to.
#[input]
struct Search {
    q: Option<Text<1, 100>>,
}

#[resource(table = "notes", owner = "owner_id", export = NoteView)]
struct Note {
    id: Id<Note>,
    owner_id: Id<Account>,
    title: String,
    body: RichText,
    stars: u8,
    tags: Set<Slug, 10>,
}

/// What a client sees of a note.
#[output(from = Note)]
struct NoteView {
    id: Id<Note>,
    title: String,
    body: RichText,
    stars: u8,
    tags: Set<Slug, 10>,
}

/// Sharing is an action of its own, so that a policy can tell it from editing.
struct Share;
impl Action for Share {}

impl Permit<Read> for Note {
    async fn permits(&self, actor: &Actor, db: &ReadDb) -> Result<bool> {
        if actor.is(self.owner_id) {
            return Ok(true);
        }
        let shares: i64 = sql!(
            "select count(*) from note_shares where note_id = {self.id} and account_id = {actor.id()}"
        )
        .one(db)
        .await?;
        Ok(shares > 0)
    }
}

impl Permit<Edit> for Note {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(actor.is(self.owner_id))
    }
}

impl Permit<Delete> for Note {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(actor.is(self.owner_id))
    }
}

impl Permit<Share> for Note {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(actor.is(self.owner_id))
    }
}

#[get("/notes")]
async fn list(
    user: SignedIn,
    db: ReadDb,
    Query(search): Query<Search>,
    page: PageRequest,
) -> Result<Page<NoteView>> {
    let pattern = search.q.map_or_else(|| "%".to_owned(), |q| contains(&q));
    let notes: Page<Note> = sql!(
        r"select n.* from notes n
          where (n.owner_id = {user.id}
                 or n.id in (select s.note_id from note_shares s where s.account_id = {user.id}))
          and lower(n.title) like {pattern} escape '\'"
    )
    .page(&page, &db)
    .await?;
    Ok(notes.map(NoteView::from))
}

/// A `like` pattern that finds this text anywhere; its own `%` and `_` mean themselves.
fn contains(text: &str) -> String {
    let escaped = text
        .to_lowercase()
        .replace('\\', r"\\")
        .replace('%', r"\%")
        .replace('_', r"\_");
    format!("%{escaped}%")
}

#[post("/notes", limit = "30/min")]
async fn create(user: SignedIn, db: Db, Json(new): Json<NewNote>) -> Result<Created<NoteView>> {
    let tags = new.tags.unwrap_or_default();
    let note: Note = sql!(
        "insert into notes (id, owner_id, title, body, stars, tags, created_at)
         values ({Id::<Note>::new()}, {user.id}, {new.title}, {new.body}, {new.stars}, {tags}, {Timestamp::now()})
         returning *"
    )
    .one(&db)
    .await?;
    Ok(Created(note.into()))
}

#[get("/notes/{note}")]
async fn show(note: Can<Read, Note>) -> Result<Json<NoteView>> {
    Ok(Json(note.into_inner().into()))
}

#[patch("/notes/{note}")]
async fn edit(note: Can<Edit, Note>, db: Db, Json(edit): Json<NoteEdit>) -> Result<Json<NoteView>> {
    let note: Note = sql!(
        "update notes set title = coalesce({edit.title}, title), body = coalesce({edit.body}, body),
         stars = coalesce({edit.stars}, stars), tags = coalesce({edit.tags}, tags)
         where id = {note} and owner_id = {note.owner_id} returning *"
    )
    .one(&db)
    .await?;
    Ok(Json(note.into()))
}

#[delete("/notes/{note}")]
async fn remove(note: Can<Delete, Note>, db: Db) -> Result<NoContent> {
    sql!("delete from notes where id = {note} and owner_id = {note.owner_id}")
        .execute(&db)
        .await?;
    Ok(NoContent)
}

/// Answers in the same words whether the address has an account or not; its time is not made the same, as that of sign-up is.
#[post("/notes/{note}/shares", limit = "30/min")]
async fn share(note: Can<Share, Note>, db: Db, Json(new): Json<NewShare>) -> Result<NoContent> {
    let email = new.email.to_ascii_lowercase();
    sql!(
        "insert into note_shares (note_id, account_id)
         select {note}, id from palisade_accounts where email = {email}
         on conflict do nothing"
    )
    .execute(&db)
    .await?;
    Ok(NoContent)
}

pub(crate) fn routes() -> Routes {
    routes![list, create, show, edit, remove, share]
}
