//! palisade as it comes, every default on.

use palisade::prelude::*;

#[settings]
struct Settings {}

#[output]
struct Health {
    status: &'static str,
}

#[row]
struct ItemRow {
    id: i64,
    title: String,
    body: String,
    stars: i64,
}

#[output(from = ItemRow)]
struct ItemView {
    id: i64,
    title: String,
    body: String,
    stars: i64,
}

#[input]
struct NewItem {
    title: Text<1, 200>,
    body: Text<0, 2000>,
    stars: Int<1, 5>,
}

#[output]
struct NewItemView {
    title: Text<1, 200>,
    body: Text<0, 2000>,
    stars: Int<1, 5>,
}

#[output]
struct Me {
    id: Id<Account>,
}

#[get("/health")]
async fn health(_: Public) -> Result<Json<Health>> {
    Ok(Json(Health { status: "ok" }))
}

#[get("/items/{item}")]
async fn item(
    _: Public,
    Path(item): Path<Int<1, 1_000_000>>,
    db: ReadDb,
) -> Result<Json<ItemView>> {
    let row = sql!(
        ItemRow,
        "select id, title, body, stars from items where id = {item}"
    )
    .optional(&db)
    .await?;
    Ok(Json(row.ok_or_else(Error::not_found)?.into()))
}

#[post("/items")]
async fn create(_: Public, Json(new): Json<NewItem>) -> Result<Json<NewItemView>> {
    Ok(Json(NewItemView {
        title: new.title,
        body: new.body,
        stars: new.stars,
    }))
}

#[get("/me")]
async fn me(user: SignedIn) -> Result<Json<Me>> {
    Ok(Json(Me { id: user.id }))
}

/// For palisade there is no token without its account.
#[get("/account")]
async fn account(user: SignedIn) -> Result<Json<Me>> {
    Ok(Json(Me { id: user.id }))
}

#[palisade::main]
async fn main() -> Result<App, Refusal> {
    App::from_env::<Settings>()?
        .migrations(migrations!("migrations"))
        .routes(auth::routes())
        .routes(routes![health, item, create, me, account])
        .build()
}
