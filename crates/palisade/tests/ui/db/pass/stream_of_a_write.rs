use palisade::prelude::*;

async fn query(db: &Db, id: Id<Account>) -> Result<Vec<String>> {
    sql!("delete from notes where owner_id = {id} returning title")
        .at_most(500, db)
        .await
}

fn main() {}
