//! axum with palisade's protections, put together from tower-http, tower-governor and garde in one `ServiceBuilder`.

mod problem;
mod serve;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bench_common::{
    BODY_LIMIT, BURST, Claims, Data, HEADERS, HOSTS, Health, Item, Me, NewItem, ORIGIN, Settings,
    Tokens,
};
use garde::Validate;
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;
use tower_http::ServiceBuilderExt as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestId, RequestId};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::Level;

use crate::problem::Problem;

#[derive(Clone)]
struct App {
    data: Data,
    tokens: Arc<Tokens>,
}

struct Bearer(Claims);

impl FromRequestParts<App> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let sent = parts.headers.get(AUTHORIZATION);
        let claims = app.tokens.check(sent.and_then(|value| value.to_str().ok()));
        claims.map(Self).ok_or_else(|| {
            tracing::warn!(event = "authn_token_refused");
            Problem(StatusCode::UNAUTHORIZED)
        })
    }
}

struct Valid<T>(T);

impl<T> FromRequest<App> for Valid<T>
where
    Json<T>: FromRequest<App, Rejection = JsonRejection>,
    T: Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let Json(value) = Json::<T>::from_request(request, app)
            .await
            .map_err(|rejection| Problem(rejection.status()))?;
        value
            .validate()
            .map_err(|_| Problem(StatusCode::UNPROCESSABLE_ENTITY))?;
        Ok(Self(value))
    }
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

async fn item(State(app): State<App>, Path(id): Path<i64>) -> Result<Json<Item>, Problem> {
    let item = app.data.item(id).await?;
    item.map(Json).ok_or(Problem(StatusCode::NOT_FOUND))
}

async fn create(Valid(new): Valid<NewItem>) -> Json<NewItem> {
    Json(new)
}

async fn me(Bearer(claims): Bearer) -> Json<Me> {
    Json(Me { id: claims.sub })
}

async fn account(Bearer(claims): Bearer, State(app): State<App>) -> Result<Json<Me>, Problem> {
    if app.data.stands(&claims).await? {
        Ok(Json(Me { id: claims.sub }))
    } else {
        Err(Problem(StatusCode::UNAUTHORIZED))
    }
}

async fn sign_out(Bearer(claims): Bearer, State(app): State<App>) -> Result<StatusCode, Problem> {
    app.data.revoke(&claims).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Clone)]
struct NewId;

impl MakeRequestId for NewId {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let mut text = [0; 32];
        let id = uuid::Uuid::now_v7().simple().encode_lower(&mut text);
        HeaderValue::from_str(id).ok().map(RequestId::new)
    }
}

/// The names that requests may ask for.
async fn check_host(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    if name.is_some_and(|name| HOSTS.contains(&name)) {
        next.run(request).await
    } else {
        Problem(StatusCode::MISDIRECTED_REQUEST).into_response()
    }
}

fn router(app: App) -> Router {
    let origin = HeaderValue::from_static(ORIGIN);
    let cors = CorsLayer::new()
        .allow_origin([origin])
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .max_age(Duration::from_secs(600));
    let csrf = CsrfLayer::new()
        .add_trusted_origin(ORIGIN)
        .expect("an origin");
    let governor = GovernorConfigBuilder::default()
        .period(Duration::from_nanos(1))
        .burst_size(BURST)
        .use_headers()
        .finish()
        .expect("a rate");
    let set = |index: usize| {
        let (name, value) = HEADERS[index];
        let name = HeaderName::from_static(name);
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    let layers = ServiceBuilder::new()
        .set_x_request_id(NewId)
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(|request: &axum::http::Request<_>| {
                    let id = request.headers().get("x-request-id");
                    let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
                    let peer = request.extensions().get::<ConnectInfo<std::net::SocketAddr>>();
                    let client = peer.map(|peer| tracing::field::display(peer.0.ip()));
                    tracing::info_span!("request", method = %request.method(), path = request.uri().path(), client, request_id = id)
                })
                .on_response(DefaultOnResponse::new().level(Level::INFO)),
        )
        .sensitive_headers([AUTHORIZATION, COOKIE])
        .propagate_x_request_id()
        .layer(set(0))
        .layer(set(1))
        .layer(set(2))
        .layer(set(3))
        .layer(set(4))
        .layer(set(5))
        .layer(set(6))
        .layer(set(7))
        .layer(set(8))
        .layer(set(9))
        .layer(set(10))
        .layer(set(11))
        .layer(set(12))
        .layer(set(13))
        .layer(from_fn(problem::dress))
        .layer(GlobalConcurrencyLimitLayer::new(1024))
        .layer(GovernorLayer::new(governor))
        .layer(from_fn(check_host))
        .layer(cors)
        .layer(csrf)
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(10),
        ))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT));
    Router::new()
        .route("/health", get(health))
        .route("/items/{id}", get(item))
        .route("/items", post(create))
        .route("/me", get(me))
        .route("/account", get(account))
        .route("/auth/sign-out", post(sign_out))
        .fallback(|| async { Problem(StatusCode::NOT_FOUND) })
        .with_state(app)
        .layer(layers)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::from_env();
    if settings.did_command().await? {
        return Ok(());
    }
    tracing_subscriber::fmt()
        .json()
        // Without this each line holds its span twice.
        .with_span_list(false)
        .with_env_filter("info")
        .init();
    let app = App {
        data: settings.open().await?,
        tokens: Arc::new(settings.tokens()),
    };
    serve::serve(settings.port, router(app)).await?;
    Ok(())
}
