//! Orders: a program places them once, looks at its owner's, and cancels what has not been sent.

use palisade::endpoint::Routes;
use palisade::error::problem;
use palisade::prelude::*;

/// To look at orders.
struct ReadOrders;
impl Scope for ReadOrders {
    const NAME: &'static str = "orders.read";
}

/// To place and cancel them.
struct WriteOrders;
impl Scope for WriteOrders {
    const NAME: &'static str = "orders.write";
}

/// What a program sends to place one.
#[input]
struct NewOrder {
    article: Slug,
    quantity: Int<1, 1000>,
}

#[resource(table = "orders", owner = "owner_id")]
struct Order {
    id: Id<Order>,
    owner_id: Id<Account>,
    article: String,
    quantity: i64,
    state: String,
    created_at: Timestamp,
}

/// What a program sees of an order.
#[output(from = Order)]
struct OrderView {
    id: Id<Order>,
    article: String,
    quantity: i64,
    state: String,
    created_at: Timestamp,
}

#[problem]
enum Trouble {
    #[problem(
        status = 409,
        title = "The order cannot be cancelled any more",
        detail = "it was sent, or cancelled before"
    )]
    TooLate,
}

/// To call an order off.
struct Cancel;
impl Action for Cancel {}

impl Permit<Read> for Order {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(actor.is(self.owner_id))
    }
}

impl Permit<Cancel> for Order {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(actor.is(self.owner_id))
    }
}

/// Placed once for each `Idempotency-Key`, however often the program has to ask.
#[post("/orders", limit = "60/min", idempotent)]
async fn place(
    client: ApiClient<WriteOrders>,
    db: Db,
    Json(new): Json<NewOrder>,
) -> Result<Created<OrderView>> {
    let order: Order = sql!(
        "insert into orders (id, owner_id, article, quantity, state, created_at)
         values ({Id::<Order>::new()}, {client.owner}, {new.article}, {new.quantity}, {\"placed\"}, {Timestamp::now()})
         returning *"
    )
    .one(&db)
    .await?;
    Ok(Created(order.into()))
}

#[get("/orders")]
async fn list(
    client: ApiClient<ReadOrders>,
    db: ReadDb,
    page: PageRequest,
) -> Result<Page<OrderView>> {
    let orders: Page<Order> = sql!("select * from orders where owner_id = {client.owner}")
        .page(&page, &db)
        .await?;
    Ok(orders.map(OrderView::from))
}

/// The key says that the program may read orders, the policy that its owner may read this one.
#[get("/orders/{order}")]
async fn show(_: ApiClient<ReadOrders>, order: Can<Read, Order>) -> Result<Json<OrderView>> {
    Ok(Json(order.into_inner().into()))
}

#[post("/orders/{order}/cancel", idempotent)]
async fn cancel(
    _: ApiClient<WriteOrders>,
    order: Can<Cancel, Order>,
    db: Db,
) -> Result<Json<OrderView>> {
    let cancelled: Option<Order> = sql!(
        "update orders set state = {\"cancelled\"}
         where id = {order} and owner_id = {order.owner_id} and state = {\"placed\"} returning *"
    )
    .optional(&db)
    .await?;
    let order = cancelled.ok_or(Trouble::TooLate)?;
    Ok(Json(order.into()))
}

pub(crate) fn routes() -> Routes {
    routes![place, list, show, cancel]
}
