use palisade::prelude::*;

async fn query(mut tx: Tx, id: Id<Account>) -> Result<Option<String>> {
    let mut titles =
        sql!("select title from notes where owner_id = {id}").stream::<String>(500, &mut tx);
    titles.try_next().await
}

fn main() {}
