use palisade::prelude::*;

async fn query(db: &ReadDb, id: Id<Account>, titles: Vec<String>) -> Result<i64> {
    sql!("select count(*) from notes where owner_id = {id} and title in ({..titles})")
        .one(db)
        .await
}

fn main() {}
