//! axum with nothing around it: the work alone.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::routing::{get, post};
use axum::{Json, Router};
use bench_common::{Claims, Data, Health, Item, Me, NewItem, Settings, Tokens};

#[derive(Clone)]
struct App {
    data: Data,
    tokens: Arc<Tokens>,
}

struct Bearer(Claims);

impl FromRequestParts<App> for Bearer {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, StatusCode> {
        let sent = parts.headers.get(AUTHORIZATION);
        let claims = app.tokens.check(sent.and_then(|value| value.to_str().ok()));
        claims.map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

fn broken(_: impl std::error::Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

async fn item(State(app): State<App>, Path(id): Path<i64>) -> Result<Json<Item>, StatusCode> {
    let item = app.data.item(id).await.map_err(broken)?;
    item.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn create(Json(new): Json<NewItem>) -> Result<Json<NewItem>, StatusCode> {
    if new.is_valid() {
        Ok(Json(new))
    } else {
        Err(StatusCode::UNPROCESSABLE_ENTITY)
    }
}

async fn me(Bearer(claims): Bearer) -> Json<Me> {
    Json(Me { id: claims.sub })
}

async fn account(Bearer(claims): Bearer, State(app): State<App>) -> Result<Json<Me>, StatusCode> {
    if app.data.stands(&claims).await.map_err(broken)? {
        Ok(Json(Me { id: claims.sub }))
    } else {
        Err(StatusCode::UNAUTHORIZED)
    }
}

async fn sign_out(
    Bearer(claims): Bearer,
    State(app): State<App>,
) -> Result<StatusCode, StatusCode> {
    app.data.revoke(&claims).await.map_err(broken)?;
    Ok(StatusCode::NO_CONTENT)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::from_env();
    if settings.did_command().await? {
        return Ok(());
    }
    let app = App {
        data: settings.open().await?,
        tokens: Arc::new(settings.tokens()),
    };
    let router = Router::new()
        .route("/health", get(health))
        .route("/items/{id}", get(item))
        .route("/items", post(create))
        .route("/me", get(me))
        .route("/account", get(account))
        .route("/auth/sign-out", post(sign_out))
        .with_state(app);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", settings.port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
