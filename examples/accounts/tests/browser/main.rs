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
