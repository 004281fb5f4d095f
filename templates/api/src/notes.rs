//! Notes: each belongs to the account that wrote it, and nobody else learns of it.

use palisade::endpoint::Routes;
use palisade::prelude::*;

/// What a client sends to write a note. Each type carries its bounds; unknown members are refused.
#[input]
struct NewNote {
    title: Text<1, 200>,
    body: RichText<10_000>,
}

/// What a client sends to change one; what is absent stays.
#[input]
struct NoteEdit {
    title: Option<Text<1, 200>>,
    body: Option<RichText<10_000>>,
}

/// A row of the table. It never leaves the server as it is; its owner's export shows it as `NoteView`.
#[resource(table = "notes", owner = "owner_id", export = NoteView)]
struct Note {
    id: Id<Note>,
    owner_id: Id<Account>,
    title: String,
    body: RichText,
    created_at: Timestamp,
}

/// What a client sees of a note: what is listed here, and nothing else.
#[output(from = Note)]
struct NoteView {
    id: Id<Note>,
    title: String,
    body: RichText,
    created_at: Timestamp,
}

impl Note {
    fn belongs_to(&self, actor: &Actor) -> bool {
        actor.is(self.owner_id)
    }
}

impl Permit<Read> for Note {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(self.belongs_to(actor))
    }
}

impl Permit<Edit> for Note {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(self.belongs_to(actor))
    }
}

impl Permit<Delete> for Note {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(self.belongs_to(actor))
    }
}

#[get("/notes")]
async fn list(user: SignedIn, db: ReadDb, page: PageRequest) -> Result<Page<NoteView>> {
    let notes: Page<Note> = sql!("select * from notes where owner_id = {user.id}")
        .page(&page, &db)
        .await?;
    Ok(notes.map(NoteView::from))
}

#[post("/notes", limit = "30/min")]
async fn create(user: SignedIn, db: Db, Json(new): Json<NewNote>) -> Result<Created<NoteView>> {
    let note: Note = sql!(
        "insert into notes (id, owner_id, title, body, created_at)
         values ({Id::<Note>::new()}, {user.id}, {new.title}, {new.body}, {Timestamp::now()})
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
        "update notes set title = coalesce({edit.title}, title), body = coalesce({edit.body}, body)
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

pub(crate) fn routes() -> Routes {
    routes![list, create, show, edit, remove]
}
