//! What `#[input]` and `#[output]` share: fields with their names on the wire.

use heck::{ToLowerCamelCase as _, ToSnakeCase as _};
use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser as _;
use syn::{Attribute, Expr, Ident, LitStr, Token, Type};

use crate::report::Report;

/// Options of the type or of one field.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) rename: Option<LitStr>,
    pub(crate) camel_case: bool,
    pub(crate) tag: Option<LitStr>,
    pub(crate) strip_unknown: bool,
    pub(crate) default: Option<Expr>,
    pub(crate) from: Option<Type>,
    pub(crate) with: Option<Expr>,
}

/// One field with its name in the code and on the wire.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) wire: String,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) options: Options,
}

/// Reads the tokens in the parentheses of the attribute.
pub(crate) fn options(
    tokens: TokenStream,
    known: &[&str],
    code: &str,
    report: &mut Report,
) -> Options {
    let mut options = Options::default();
    let parser = syn::meta::parser(|meta: ParseNestedMeta<'_>| {
        let name = meta
            .path
            .get_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        if !known.contains(&name.as_str()) {
            let known = known.join("`, `");
            return Err(meta.error(format!(
                "{code}: this option is not known here; there are `{known}`"
            )));
        }
        match name.as_str() {
            "rename" => options.rename = Some(meta.value()?.parse()?),
            "rename_all" => {
                let case: LitStr = meta.value()?.parse()?;
                match case.value().as_str() {
                    "camelCase" => options.camel_case = true,
                    "snake_case" => {}
                    _ => {
                        return Err(syn::Error::new(
                            case.span(),
                            format!("{code}: names are written in `camelCase` or `snake_case`"),
                        ));
                    }
                }
            }
            "tag" => options.tag = Some(meta.value()?.parse()?),
            "strip_unknown" => options.strip_unknown = true,
            "default" => options.default = Some(meta.value()?.parse()?),
            "from" => options.from = Some(meta.value()?.parse()?),
            "with" => options.with = Some(meta.value()?.parse()?),
            _ => {
                if meta.input.peek(Token![=]) {
                    meta.value()?.parse::<Expr>()?;
                }
            }
        }
        Ok(())
    });
    if let Err(error) = parser.parse2(tokens) {
        report.push(error);
    }
    options
}

/// Takes the fields apart: our own attribute is read and removed, the others stay.
pub(crate) fn fields(
    named: &mut syn::FieldsNamed,
    attribute: &str,
    known: &[&str],
    code: &str,
    camel_case: bool,
    report: &mut Report,
) -> Vec<Field> {
    let mut found = Vec::new();
    for field in &mut named.named {
        let Some(ident) = field.ident.clone() else {
            continue;
        };
        let own = take(&mut field.attrs, attribute);
        let options = own
            .map(|tokens| options(tokens, known, code, report))
            .unwrap_or_default();
        let plain = ident.to_string().trim_start_matches("r#").to_owned();
        let wire = match &options.rename {
            Some(name) => name.value(),
            None if camel_case => plain.to_lower_camel_case(),
            None => plain,
        };
        found.push(Field {
            ident,
            ty: field.ty.clone(),
            wire,
            attrs: field.attrs.clone(),
            options,
        });
    }
    found
}

/// The name of a variant on the wire.
pub(crate) fn variant_name(ident: &Ident, options: &Options, camel_case: bool) -> String {
    match &options.rename {
        Some(name) => name.value(),
        None if camel_case => ident.to_string().to_lower_camel_case(),
        None => ident.to_string().to_snake_case(),
    }
}

/// Removes the attribute of this name and gives what stood in its parentheses.
pub(crate) fn take(attrs: &mut Vec<Attribute>, name: &str) -> Option<TokenStream> {
    let at = attrs
        .iter()
        .position(|attribute| attribute.path().is_ident(name))?;
    match attrs.remove(at).meta {
        syn::Meta::List(list) => Some(list.tokens),
        _ => Some(TokenStream::new()),
    }
}
