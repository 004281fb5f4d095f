//! What a handler may answer with.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use super::field::Output;
use crate::db::Page;
use crate::error::Result;
use crate::input::Json;

/// An answer that a handler may give.
#[diagnostic::on_unimplemented(
    message = "P0403: `{Self}` is not an answer",
    label = "not made of an `#[output]` type",
    note = "answer with `Json<T>`, `Created<T>`, `Page<T>` of an `#[output]` type, or `NoContent`"
)]
pub trait Reply {
    /// The answer as an HTTP response.
    ///
    /// # Errors
    /// 500 when it cannot be written as JSON.
    fn reply(self) -> Result<Response<Body>>;
}

/// 201 and the new thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<T>(pub T);

/// 202 and what was taken in, to be worked on later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted<T>(pub T);

/// 204, without a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoContent;

fn json(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>> {
    let mut response = Response::new(Body::from(serde_json::to_vec(value)?));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Ok(response)
}

impl<T: Output> Reply for Json<T> {
    fn reply(self) -> Result<Response<Body>> {
        json(StatusCode::OK, &self.0)
    }
}

impl<T: Output> Reply for Created<T> {
    fn reply(self) -> Result<Response<Body>> {
        json(StatusCode::CREATED, &self.0)
    }
}

impl<T: Output> Reply for Accepted<T> {
    fn reply(self) -> Result<Response<Body>> {
        json(StatusCode::ACCEPTED, &self.0)
    }
}

impl Reply for NoContent {
    fn reply(self) -> Result<Response<Body>> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }
}

#[derive(Serialize)]
struct Listed<'a, T> {
    items: &'a [T],
    next: Option<&'a str>,
}

impl<T: Output> Reply for Page<T> {
    fn reply(self) -> Result<Response<Body>> {
        json(
            StatusCode::OK,
            &Listed {
                items: &self.items,
                next: self.next.as_deref(),
            },
        )
    }
}
