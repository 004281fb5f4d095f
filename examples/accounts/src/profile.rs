//! A profile for each account: one row, its own.

use palisade::endpoint::Routes;
use palisade::prelude::*;

#[input]
struct NewProfile {
    name: Text<1, 80>,
}

/// It goes with its account, and is in what the account exports.
#[resource(table = "profiles", owner = "owner_id", export = ProfileView)]
struct Profile {
    id: Id<Profile>,
    owner_id: Id<Account>,
    name: String,
}

#[output(from = Profile)]
struct ProfileView {
    owner_id: Id<Account>,
    name: String,
}

#[get("/profile")]
async fn show(user: SignedIn, db: ReadDb) -> Result<Json<ProfileView>> {
    let profile: Option<Profile> = sql!("select * from profiles where owner_id = {user.id}")
        .optional(&db)
        .await?;
    let profile = profile.ok_or_else(Error::not_found)?;
    Ok(Json(profile.into()))
}

/// Others see the name, so whoever changes it has proved a moment ago that it is theirs to change.
#[put("/profile", limit = "30/min")]
async fn save(user: Fresh<15>, db: Db, Json(new): Json<NewProfile>) -> Result<Json<ProfileView>> {
    let profile: Profile = sql!(
        "insert into profiles (id, owner_id, name) values ({Id::<Profile>::new()}, {user.id}, {new.name})
         on conflict (owner_id) do update set name = excluded.name
         returning *"
    )
    .one(&db)
    .await?;
    Ok(Json(profile.into()))
}

pub(crate) fn routes() -> Routes {
    routes![show, save]
}
