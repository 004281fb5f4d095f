#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

async fn query(tx: Tx, id: Id<Account>) -> Result<Option<String>> {
    let mut titles = sql!("select title from notes where owner_id = {id}").stream::<String>(500, &tx);
    titles.try_next().await
}

fn main() {}
