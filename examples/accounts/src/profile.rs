//! A profile for each account: one row, its own.

use palisade::endpoint::Routes;
use palisade::prelude::*;

#[input]
struct NewProfile {
    name: Text<1, 80>,
}

#[resource(table = "profiles", owner = "owner_id")]
struct Profile {
    id: Id<Profile>,
    owner_id: Id<Account>,
    name: String,
}

#[output]
struct ProfileView {
    name: Option<String>,
}

#[get("/profile")]
async fn show(user: SignedIn, db: ReadDb) -> Result<Json<ProfileView>> {
    let profile: Option<Profile> = sql!("select * from profiles where owner_id = {user.id}")
        .optional(&db)
        .await?;
    let name = profile.map(|profile| profile.name);
    Ok(Json(ProfileView { name }))
}

/// Others see it, so whoever changes it has proved a moment ago that it is theirs to change.
#[put("/profile", limit = "30/min")]
async fn save(user: Fresh<15>, db: Db, Json(new): Json<NewProfile>) -> Result<Json<ProfileView>> {
    let profile: Profile = sql!(
        "insert into profiles (id, owner_id, name) values ({Id::<Profile>::new()}, {user.id}, {new.name})
         on conflict (owner_id) do update set name = excluded.name
         returning *"
    )
    .one(&db)
    .await?;
    let name = Some(profile.name);
    Ok(Json(ProfileView { name }))
}

pub(crate) fn routes() -> Routes {
    routes![show, save]
}
