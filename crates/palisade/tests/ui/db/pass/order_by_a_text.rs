#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[columns(on = "notes")]
enum Order {
    #[column("title")]
    Title,
}

async fn query(db: &ReadDb, id: Id<Account>, order: Order) -> Result<i64> {
    sql!("select count(*) from notes where owner_id = {id} order by {order: order}")
        .one(db)
        .await
}

fn main() {}
