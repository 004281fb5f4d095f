#![allow(dead_code, unused_variables)]

use palisade::prelude::*;

#[row]
struct TagCount {
    tag: String,
    count: i64,
}

async fn query(db: &ReadDb) -> Result<Vec<TagCount>> {
    sql!(
        TagCount,
        "select tag, count(*) as count from tags group by tag"
    )
    .at_most(10, db)
    .await
}

fn main() {}
