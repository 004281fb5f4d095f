//! actix-web with palisade's protections, put together from its own middleware, actix-cors, actix-governor and garde.

use std::time::{Duration, Instant};

use actix_cors::Cors;
use actix_governor::{Governor, GovernorConfigBuilder};
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{DefaultHeaders, Next, from_fn};
use actix_web::web::{self, Data as Shared, Json, JsonConfig, Path};
use actix_web::{App, Error, FromRequest, HttpRequest, HttpResponse, HttpServer, ResponseError};
use bench_common::{
    BODY_LIMIT, BURST, Claims, Data, HEADERS, HOSTS, Health, Item, Me, NewItem, ORIGIN, Settings,
    Tokens,
};
use garde::Validate;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[derive(Debug)]
struct Problem(StatusCode);

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.0);
        for header in HEADERS {
            response.insert_header(header);
        }
        response
            .content_type("application/problem+json")
            .json(serde_json::json!({
                "type": "about:blank",
                "title": self.0.canonical_reason().unwrap_or("Error"),
                "status": self.0.as_u16(),
            }))
    }
}

fn broken(error: impl std::error::Error) -> Problem {
    tracing::error!(cause = %error, "request failed");
    Problem(StatusCode::INTERNAL_SERVER_ERROR)
}

struct Bearer(Claims);

impl FromRequest for Bearer {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sent = request.headers().get(header::AUTHORIZATION);
        let tokens = request.app_data::<Shared<Tokens>>();
        let claims = tokens.and_then(|tokens| tokens.check(sent?.to_str().ok()));
        std::future::ready(claims.map(Self).ok_or_else(|| {
            tracing::warn!(event = "authn_token_refused");
            Problem(StatusCode::UNAUTHORIZED)
        }))
    }
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

async fn item(data: Shared<Data>, id: Path<i64>) -> Result<Json<Item>, Problem> {
    let item = data.item(id.into_inner()).await.map_err(broken)?;
    item.map(Json).ok_or(Problem(StatusCode::NOT_FOUND))
}

async fn create(Json(new): Json<NewItem>) -> Result<Json<NewItem>, Problem> {
    new.validate()
        .map_err(|_| Problem(StatusCode::UNPROCESSABLE_ENTITY))?;
    Ok(Json(new))
}

async fn me(Bearer(claims): Bearer) -> Json<Me> {
    Json(Me { id: claims.sub })
}

async fn account(Bearer(claims): Bearer, data: Shared<Data>) -> Result<Json<Me>, Problem> {
    if data.stands(&claims).await.map_err(broken)? {
        Ok(Json(Me { id: claims.sub }))
    } else {
        Err(Problem(StatusCode::UNAUTHORIZED))
    }
}

async fn sign_out(Bearer(claims): Bearer, data: Shared<Data>) -> Result<HttpResponse, Problem> {
    data.revoke(&claims).await.map_err(broken)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Request id, log line, time, host and cross-site requests, which actix-web has no middleware for.
async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let started = Instant::now();
    let method = request.method().clone();
    let path = request.path().to_owned();
    let client = request.peer_addr().map(|peer| peer.ip());
    let mut text = [0; 32];
    let id = uuid::Uuid::now_v7().simple().encode_lower(&mut text);
    let mut response = match refused(&request) {
        Some(status) => request
            .into_response(Problem(status).error_response())
            .map_into_right_body(),
        // No copy of the request may be kept: actix-web wants to be its only holder. So these answers are errors.
        None => match tokio::time::timeout(Duration::from_secs(10), next.call(request)).await {
            Ok(Ok(response)) => response.map_into_left_body(),
            Ok(Err(error)) => return Err(Problem(error.as_response_error().status_code()).into()),
            Err(_) => return Err(Problem(StatusCode::GATEWAY_TIMEOUT).into()),
        },
    };
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    tracing::info!(
        method = %method,
        path,
        client = client.map(tracing::field::display),
        status = response.status().as_u16(),
        micros = started.elapsed().as_micros() as u64,
        request_id = id,
        "request"
    );
    Ok(response)
}

fn refused(request: &ServiceRequest) -> Option<StatusCode> {
    let text = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let host = text(header::HOST);
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    if !name.is_some_and(|name| HOSTS.contains(&name)) {
        return Some(StatusCode::MISDIRECTED_REQUEST);
    }
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let own = site.is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin = text(header::ORIGIN);
    let trusted = origin == Some(ORIGIN);
    if request.method().is_safe() || trusted || (own && origin.is_none()) {
        None
    } else {
        Some(StatusCode::FORBIDDEN)
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::from_env();
    if settings.did_command().await? {
        return Ok(());
    }
    tracing_subscriber::fmt()
        .json()
        .with_env_filter("info")
        .init();
    let data = Shared::new(settings.open().await?);
    let tokens = Shared::new(settings.tokens());
    let governor = GovernorConfigBuilder::default()
        .period(Duration::from_nanos(1))
        .burst_size(BURST)
        .use_headers()
        .finish()
        .ok_or("a rate")?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let server = HttpServer::new(move || {
        let cors = Cors::default()
            .allowed_origin(ORIGIN)
            .allowed_methods([Method::GET, Method::POST])
            .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
            .max_age(600);
        let headers = HEADERS
            .into_iter()
            .fold(DefaultHeaders::new(), |headers, header| headers.add(header));
        let json = JsonConfig::default()
            .limit(BODY_LIMIT)
            .error_handler(|error, _| Problem(status(&error)).into());
        App::new()
            .app_data(data.clone())
            .app_data(tokens.clone())
            .app_data(json)
            .wrap(Governor::new(&governor))
            .wrap(cors)
            .wrap(from_fn(around))
            .wrap(headers)
            .route("/health", web::get().to(health))
            .route("/items/{id}", web::get().to(item))
            .route("/items", web::post().to(create))
            .route("/me", web::get().to(me))
            .route("/account", web::get().to(account))
            .route("/auth/sign-out", web::post().to(sign_out))
            .default_service(web::to(|| async {
                Problem(StatusCode::NOT_FOUND).error_response()
            }))
    });
    server
        .workers(workers)
        .client_request_timeout(Duration::from_secs(10))
        .bind(("127.0.0.1", settings.port))?
        .run()
        .await?;
    Ok(())
}

fn status(error: &actix_web::error::JsonPayloadError) -> StatusCode {
    use actix_web::error::JsonPayloadError as Wrong;
    match error {
        Wrong::OverflowKnownLength { .. } | Wrong::Overflow { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Wrong::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Wrong::Deserialize(error) if error.is_data() => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::BAD_REQUEST,
    }
}
