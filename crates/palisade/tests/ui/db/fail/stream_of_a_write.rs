#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(db: &Db, id: Id<Account>) -> Result<Option<String>> {
    let mut titles = sql!("delete from notes where owner_id = {id} returning title").stream::<String>(500, db);
    titles.try_next().await
}

fn main() {}
