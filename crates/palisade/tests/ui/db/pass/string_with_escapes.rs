use palisade::prelude::*;

async fn query(db: &ReadDb, id: Id<Account>) -> Result<i64> {
    sql!("select count(*) from notes where owner_id = {id} and title <> ''''")
        .one(db)
        .await
}

fn main() {}
