//! The chain that puts an app together in `src/main.rs`: `App::from_env…?.routes(…).build()`.

use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Expr, ExprMethodCall};

use super::source::{Edit, Source};
use crate::Failure;

pub(crate) struct App<'a> {
    source: &'a Source,
    /// Its calls, the first one first; the last one is `build`.
    calls: Vec<&'a ExprMethodCall>,
}

impl<'a> App<'a> {
    /// The one chain of the file.
    ///
    /// # Errors
    /// When there is none, or more than one; `line` is what its owner would write into it.
    pub(crate) fn of(source: &'a Source, line: &str) -> Result<Self, Failure> {
        let mut chains = Chains(Vec::new());
        chains.visit_file(&source.file);
        let [last] = chains.0[..] else {
            let found = match chains.0.len() {
                0 => "no `App::from_env…` that ends with `.build()`".to_owned(),
                many => format!("{many} apps"),
            };
            return Err(Failure::other(format!(
                "`{}` has {found}, so there is no place for `{line}`: write it there yourself, then run this again. Nothing was written.",
                source.name()
            )));
        };
        let mut calls = vec![last];
        let mut receiver: &Expr = &last.receiver;
        loop {
            match receiver {
                Expr::MethodCall(call) => {
                    calls.push(call);
                    receiver = &call.receiver;
                }
                Expr::Try(inner) => receiver = &inner.expr,
                Expr::Await(inner) => receiver = &inner.base,
                _ => break,
            }
        }
        calls.reverse();
        Ok(Self { source, calls })
    }

    /// The folder that `.migrations(migrations!("…"))` names.
    pub(crate) fn migrations(&self) -> Option<String> {
        let call = self.calls.iter().find(|call| call.method == "migrations")?;
        let Some(Expr::Macro(call)) = call.args.first() else {
            return None;
        };
        let folder: syn::LitStr = syn::parse2(call.mac.tokens.clone()).ok()?;
        Some(folder.value())
    }

    /// Adds `.method(argument)` behind the last call of one of these methods; nothing when it is there.
    pub(crate) fn call(&self, method: &str, argument: &str, behind: &[&str]) -> Option<Edit> {
        if self.find(method, argument).is_some() {
            return None;
        }
        let call = format!(".{method}({argument})");
        let last = behind
            .iter()
            .find_map(|method| self.calls.iter().rev().find(|call| call.method == method));
        let edit = match last {
            Some(last) => {
                let end = self.source.bytes(*last).end;
                match self.source.indent(self.source.bytes(&last.dot_token).start) {
                    Some(indent) => self
                        .source
                        .insert_line_after(end, &format!("{indent}{call}")),
                    None => self.source.insert(end, call),
                }
            }
            None => {
                let first = self.calls[0];
                let dot = self.source.bytes(&first.dot_token).start;
                let line = match self.source.indent(dot) {
                    Some(indent) => format!("{call}\n{indent}"),
                    None => call,
                };
                self.source.insert(dot, line)
            }
        };
        Some(edit)
    }

    /// Takes `.method(argument)` out; nothing when it is not there.
    pub(crate) fn uncall(&self, method: &str, argument: &str) -> Option<Edit> {
        let call = self.find(method, argument)?;
        let start = self.source.bytes(&call.dot_token).start;
        Some(self.source.remove(start..self.source.bytes(call).end))
    }

    /// The argument of `.role(Role::new("name")…)`.
    pub(crate) fn role(&self, name: &str) -> Option<&'a Expr> {
        let roles = self.calls.iter().filter(|call| call.method == "role");
        let mut arguments = roles.filter_map(|call| call.args.first());
        arguments.find(|argument| {
            let mut first = *argument;
            while let Expr::MethodCall(call) = first {
                first = &call.receiver;
            }
            matches!(first, Expr::Call(call) if call.args.len() == 1 && is_text(&call.args[0], name))
        })
    }

    /// Adds this call to the end of an argument; nothing when it is in there.
    pub(crate) fn extend(&self, argument: &Expr, call: &str) -> Option<Edit> {
        let words = |text: &str| text.split_whitespace().collect::<String>();
        let bytes = self.source.bytes(argument);
        if words(&self.source.text()[bytes.clone()]).contains(&words(call)) {
            return None;
        }
        Some(self.source.insert(bytes.end, call.to_owned()))
    }

    fn find(&self, method: &str, argument: &str) -> Option<&'a ExprMethodCall> {
        let wanted: Expr = syn::parse_str(argument).ok()?;
        let wanted = wanted.to_token_stream().to_string();
        let same = |call: &&&ExprMethodCall| {
            call.method == method
                && call.args.len() == 1
                && call.args.to_token_stream().to_string() == wanted
        };
        self.calls.iter().find(same).copied()
    }
}

struct Chains<'a>(Vec<&'a ExprMethodCall>);

impl<'a> Visit<'a> for Chains<'a> {
    fn visit_expr_method_call(&mut self, call: &'a ExprMethodCall) {
        if call.method == "build" && begins_an_app(&call.receiver) {
            self.0.push(call);
        }
        syn::visit::visit_expr_method_call(self, call);
    }
}

fn is_text(expr: &Expr, wanted: &str) -> bool {
    matches!(expr, Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) if text.value() == wanted)
}

fn begins_an_app(expr: &Expr) -> bool {
    match expr {
        Expr::MethodCall(call) => begins_an_app(&call.receiver),
        Expr::Try(inner) => begins_an_app(&inner.expr),
        Expr::Await(inner) => begins_an_app(&inner.base),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => {
                let names: Vec<_> = path
                    .path
                    .segments
                    .iter()
                    .map(|segment| segment.ident.to_string())
                    .collect();
                names.ends_with(&["App".to_owned(), "from_env".to_owned()])
            }
            _ => false,
        },
        _ => false,
    }
}

/// The line in which something still names the module, beside its declaration and its routes.
pub(crate) fn other_use(source: &Source, module: &str) -> Option<usize> {
    struct Uses<'a>(&'a str, &'a Source, Option<usize>);
    impl<'a> Visit<'a> for Uses<'_> {
        fn visit_path(&mut self, path: &'a syn::Path) {
            let own = |name: &str| {
                path.segments
                    .first()
                    .is_some_and(|first| first.ident == name)
            };
            let second = path
                .segments
                .iter()
                .nth(1)
                .is_some_and(|second| second.ident == self.0);
            if (own(self.0) && path.segments.len() > 1) || ((own("crate") || own("self")) && second)
            {
                self.2
                    .get_or_insert(self.1.line(self.1.bytes(&path.span()).start));
            }
            syn::visit::visit_path(self, path);
        }
    }
    let mut uses = Uses(module, source, None);
    uses.visit_file(&source.file);
    uses.2
}
