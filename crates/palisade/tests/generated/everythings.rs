//! Everythings: each belongs to the account that made it, and nobody else learns of it.
//!
//! Made by `palisade generate resource everything title:text:1..200 summary:text:..2000? body:richtext:..10000 footnote:richtext:..500? contact:email backup:email? handle:slug alias:slug? homepage:url mirror:url? done:bool pinned:bool? due:date ended:date? starts_at:timestamp ends_at:timestamp? stars:int:1..5 bytes:int:-30..5000000000? rating:float:0.5..5.0 status:choice:draft,in_review,sent mood:choice:good,bad? lines:list:text:1..80:..20 hints:list:url:..3? tags:set:slug:..10 days:set:date:..7? ports:list:int:1..65535:..4 flags:list:bool:..8 notes:list:richtext:..100:..5 moments:set:timestamp:..5 score:float:-1.0..1.0? levels:set:int:0..9:..3 --owner account`.

use palisade::endpoint::Routes;
use palisade::prelude::*;

/// What the status of an everything may be.
#[input]
#[output]
enum EverythingStatus {
    Draft,
    InReview,
    Sent,
}

/// What the mood of an everything may be.
#[input]
#[output]
#[derive(PartialEq)]
enum EverythingMood {
    Good,
    Bad,
}

/// What a client sends to make an everything. Each type carries its bounds; unknown members are refused.
#[input]
struct NewEverything {
    title: Text<1, 200>,
    summary: Option<Text<0, 2000>>,
    body: RichText<10_000>,
    footnote: Option<RichText<500>>,
    contact: Email,
    backup: Option<Email>,
    handle: Slug,
    alias: Option<Slug>,
    homepage: Url,
    mirror: Option<Url>,
    done: bool,
    pinned: Option<bool>,
    due: Date,
    ended: Option<Date>,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    stars: Int<1, 5>,
    bytes: Option<Int<-30, 5_000_000_000>>,
    #[garde(range(min = 0.5, max = 5.0))]
    rating: f64,
    status: EverythingStatus,
    mood: Option<EverythingMood>,
    lines: List<Text<1, 80>, 20>,
    hints: Option<List<Url, 3>>,
    tags: Set<Slug, 10>,
    days: Option<Set<Date, 7>>,
    ports: List<Int<1, 65_535>, 4>,
    flags: List<bool, 8>,
    notes: List<RichText<100>, 5>,
    moments: Set<Timestamp, 5>,
    #[garde(range(min = -1.0, max = 1.0))]
    score: Option<f64>,
    levels: Set<Int<0, 9>, 3>,
}

/// What a client sends to change one; what is absent stays.
#[input]
struct EverythingEdit {
    title: Option<Text<1, 200>>,
    summary: Change<Text<0, 2000>>,
    body: Option<RichText<10_000>>,
    footnote: Change<RichText<500>>,
    contact: Option<Email>,
    backup: Change<Email>,
    handle: Option<Slug>,
    alias: Change<Slug>,
    homepage: Option<Url>,
    mirror: Change<Url>,
    done: Option<bool>,
    pinned: Change<bool>,
    due: Option<Date>,
    ended: Change<Date>,
    starts_at: Option<Timestamp>,
    ends_at: Change<Timestamp>,
    stars: Option<Int<1, 5>>,
    bytes: Change<Int<-30, 5_000_000_000>>,
    #[garde(range(min = 0.5, max = 5.0))]
    rating: Option<f64>,
    status: Option<EverythingStatus>,
    mood: Change<EverythingMood>,
    lines: Option<List<Text<1, 80>, 20>>,
    hints: Change<List<Url, 3>>,
    tags: Option<Set<Slug, 10>>,
    days: Change<Set<Date, 7>>,
    ports: Option<List<Int<1, 65_535>, 4>>,
    flags: Option<List<bool, 8>>,
    notes: Option<List<RichText<100>, 5>>,
    moments: Option<Set<Timestamp, 5>>,
    #[garde(range(min = -1.0, max = 1.0))]
    score: Change<f64>,
    levels: Option<Set<Int<0, 9>, 3>>,
}

/// A row of the table. It never leaves the server as it is; its owner's export shows it as `EverythingView`.
#[resource(table = "everythings", owner = "owner_id", export = EverythingView)]
struct Everything {
    id: Id<Everything>,
    owner_id: Id<Account>,
    title: String,
    summary: Option<String>,
    body: RichText,
    footnote: Option<RichText>,
    contact: Email,
    backup: Option<Email>,
    handle: Slug,
    alias: Option<Slug>,
    homepage: Url,
    mirror: Option<Url>,
    done: bool,
    pinned: Option<bool>,
    due: Date,
    ended: Option<Date>,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    stars: i64,
    bytes: Option<i64>,
    rating: f64,
    status: EverythingStatus,
    mood: Option<EverythingMood>,
    lines: List<Text<1, 80>, 20>,
    hints: Option<List<Url, 3>>,
    tags: Set<Slug, 10>,
    days: Option<Set<Date, 7>>,
    ports: List<Int<1, 65_535>, 4>,
    flags: List<bool, 8>,
    notes: List<RichText<100>, 5>,
    moments: Set<Timestamp, 5>,
    score: Option<f64>,
    levels: Set<Int<0, 9>, 3>,
    created_at: Timestamp,
}

/// What a client sees of an everything: what is listed here, and nothing else.
#[output(from = Everything)]
struct EverythingView {
    id: Id<Everything>,
    title: String,
    summary: Option<String>,
    body: RichText,
    footnote: Option<RichText>,
    contact: Email,
    backup: Option<Email>,
    handle: Slug,
    alias: Option<Slug>,
    homepage: Url,
    mirror: Option<Url>,
    done: bool,
    pinned: Option<bool>,
    due: Date,
    ended: Option<Date>,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    stars: i64,
    bytes: Option<i64>,
    rating: f64,
    status: EverythingStatus,
    mood: Option<EverythingMood>,
    lines: List<Text<1, 80>, 20>,
    hints: Option<List<Url, 3>>,
    tags: Set<Slug, 10>,
    days: Option<Set<Date, 7>>,
    ports: List<Int<1, 65_535>, 4>,
    flags: List<bool, 8>,
    notes: List<RichText<100>, 5>,
    moments: Set<Timestamp, 5>,
    score: Option<f64>,
    levels: Set<Int<0, 9>, 3>,
    created_at: Timestamp,
}

impl Everything {
    fn belongs_to(&self, actor: &Actor) -> bool {
        actor.is(self.owner_id)
    }
}

impl Permit<Read> for Everything {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(self.belongs_to(actor))
    }
}

impl Permit<Edit> for Everything {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(self.belongs_to(actor))
    }
}

impl Permit<Delete> for Everything {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(self.belongs_to(actor))
    }
}

#[get("/everythings")]
async fn list(user: SignedIn, db: ReadDb, page: PageRequest) -> Result<Page<EverythingView>> {
    let everythings: Page<Everything> = sql!(
        "select * from everythings
         where owner_id = {user.id}"
    )
    .page(&page, &db)
    .await?;
    Ok(everythings.map(EverythingView::from))
}

#[post("/everythings", limit = "30/min")]
async fn create(
    user: SignedIn,
    db: Db,
    Json(new): Json<NewEverything>,
) -> Result<Created<EverythingView>> {
    let everything: Everything = sql!(
        "insert into everythings (id, owner_id, title, summary, body, footnote, contact, backup,
             handle, alias, homepage, mirror, done, pinned, due, ended, starts_at, ends_at, stars,
             bytes, rating, status, mood, lines, hints, tags, days, ports, flags, notes, moments,
             score, levels, created_at)
         values ({Id::<Everything>::new()}, {user.id}, {new.title}, {new.summary}, {new.body},
             {new.footnote}, {new.contact}, {new.backup}, {new.handle}, {new.alias}, {new.homepage},
             {new.mirror}, {new.done}, {new.pinned}, {new.due}, {new.ended}, {new.starts_at},
             {new.ends_at}, {new.stars}, {new.bytes}, {new.rating}, {new.status}, {new.mood},
             {new.lines}, {new.hints}, {new.tags}, {new.days}, {new.ports}, {new.flags},
             {new.notes}, {new.moments}, {new.score}, {new.levels}, {Timestamp::now()})
         returning *"
    )
    .one(&db)
    .await?;
    Ok(Created(everything.into()))
}

#[get("/everythings/{everything}")]
async fn show(everything: Can<Read, Everything>) -> Result<Json<EverythingView>> {
    Ok(Json(everything.into_inner().into()))
}

#[patch("/everythings/{everything}")]
async fn edit(
    everything: Can<Edit, Everything>,
    db: Db,
    Json(edit): Json<EverythingEdit>,
) -> Result<Json<EverythingView>> {
    let everything: Everything = sql!(
        "update everythings set title = coalesce({edit.title}, title),
             summary = case when {edit.summary == Change::Keep} then summary else {edit.summary.apply(None)} end,
             body = coalesce({edit.body}, body),
             footnote = case when {edit.footnote == Change::Keep} then footnote else {edit.footnote.apply(None)} end,
             contact = coalesce({edit.contact}, contact),
             backup = case when {edit.backup == Change::Keep} then backup else {edit.backup.apply(None)} end,
             handle = coalesce({edit.handle}, handle),
             alias = case when {edit.alias == Change::Keep} then alias else {edit.alias.apply(None)} end,
             homepage = coalesce({edit.homepage}, homepage),
             mirror = case when {edit.mirror == Change::Keep} then mirror else {edit.mirror.apply(None)} end,
             done = coalesce({edit.done}, done),
             pinned = case when {edit.pinned == Change::Keep} then pinned else {edit.pinned.apply(None)} end,
             due = coalesce({edit.due}, due),
             ended = case when {edit.ended == Change::Keep} then ended else {edit.ended.apply(None)} end,
             starts_at = coalesce({edit.starts_at}, starts_at),
             ends_at = case when {edit.ends_at == Change::Keep} then ends_at else {edit.ends_at.apply(None)} end,
             stars = coalesce({edit.stars}, stars),
             bytes = case when {edit.bytes == Change::Keep} then bytes else {edit.bytes.apply(None)} end,
             rating = coalesce({edit.rating}, rating), status = coalesce({edit.status}, status),
             mood = case when {edit.mood == Change::Keep} then mood else {edit.mood.apply(None)} end,
             lines = coalesce({edit.lines}, lines),
             hints = case when {edit.hints == Change::Keep} then hints else {edit.hints.apply(None)} end,
             tags = coalesce({edit.tags}, tags),
             days = case when {edit.days == Change::Keep} then days else {edit.days.apply(None)} end,
             ports = coalesce({edit.ports}, ports), flags = coalesce({edit.flags}, flags),
             notes = coalesce({edit.notes}, notes), moments = coalesce({edit.moments}, moments),
             score = case when {edit.score == Change::Keep} then score else {edit.score.apply(None)} end,
             levels = coalesce({edit.levels}, levels)
         where id = {everything} and owner_id = {everything.owner_id} returning *"
    )
    .one(&db)
    .await?;
    Ok(Json(everything.into()))
}

#[delete("/everythings/{everything}")]
async fn remove(everything: Can<Delete, Everything>, db: Db) -> Result<NoContent> {
    sql!("delete from everythings where id = {everything} and owner_id = {everything.owner_id}")
        .execute(&db)
        .await?;
    Ok(NoContent)
}

pub(crate) fn routes() -> Routes {
    routes![list, create, show, edit, remove]
}
