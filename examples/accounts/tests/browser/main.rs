//! The page in a real browser.

mod browser;
mod service;

use browser::Browser;
use service::Service;

#[tokio::test]
async fn the_page_runs_its_own_scripts_and_no_others() {
    let Some(browser) = Browser::open().await else {
        return;
    };
    let service = Service::start();
    browser.go(&service.url).await;
    browser.sees("h1", "Accounts").await;
    browser.sees("#signed-out", "").await;
    for attack in [
        "const script = document.createElement('script');
         script.textContent = 'window.ran = true';
         document.body.append(script);",
        "const script = document.createElement('script');
         script.src = 'data:text/javascript,window.ran = true';
         document.body.append(script);",
        "document.body.innerHTML = '<img src=data: onerror=\"window.ran = true\">';",
        "document.body.setAttribute('onclick', 'window.ran = true'); document.body.click();",
    ] {
        let tried =
            format!("try {{ {attack} return 'done' }} catch (error) {{ return error.name }}");
        let tried = browser.runs(&tried).await;
        assert!(
            tried == "TypeError" || tried == "EvalError",
            "{attack}: {tried}"
        );
    }
    assert_eq!(browser.runs("return window.ran === undefined").await, true);
    browser.close().await;
}

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "tidy-otters-map-the-river";

#[tokio::test]
async fn a_person_signs_up_and_in_and_ends_other_sign_ins() {
    let Some(browser) = Browser::open().await else {
        return;
    };
    let service = Service::start();
    browser.go(&service.url).await;
    let typed = [("email", EMAIL), ("password", PASSWORD)];
    browser.send("#sign-up", &typed).await;
    browser.sees("#message", "Look into your mail").await;
    browser.send("#sign-in", &typed).await;
    browser.sees("#who", EMAIL).await;

    // No script reads the session, and the cookie goes nowhere else.
    assert_eq!(browser.runs("return document.cookie").await, "");
    let cookies = browser.client.get_all_cookies().await.expect("cookies");
    let session = cookies
        .iter()
        .find(|cookie| cookie.name() == "__Host-session");
    let session = session.expect("a session");
    assert_eq!(
        (session.http_only(), session.secure(), session.path()),
        (Some(true), Some(true), Some("/"))
    );

    // It lasts through a visit elsewhere, and what is said of the person stays.
    browser.send("#profile", &[("name", "Ada")]).await;
    browser.sees("#message", "Saved.").await;
    browser.go("about:blank").await;
    browser.go(&service.url).await;
    browser.sees("#who", EMAIL).await;

    let Some(other) = Browser::open().await else {
        return;
    };
    other.go(&service.url).await;
    other.send("#sign-in", &typed).await;
    other.sees("#sessions li:nth-child(2)", "last used").await;
    browser.go(&service.url).await;
    browser.click("#elsewhere").await;
    browser
        .sees("#message", "You are signed in here alone.")
        .await;
    other.go(&service.url).await;
    other.sees("#signed-out", "Sign in").await;
    other.close().await;

    browser.click("#sign-out").await;
    browser.sees("#signed-out", "Sign in").await;
    let cookies = browser.client.get_all_cookies().await.expect("cookies");
    assert!(
        cookies
            .iter()
            .all(|cookie| cookie.name() != "__Host-session")
    );
    browser.close().await;
}
