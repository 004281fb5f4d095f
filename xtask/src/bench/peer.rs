//! Who is compared.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::{cargo, output};

pub(super) const PALISADE: &str = "palisade";
pub(super) const BARE: &str = "axum-bare";

/// One server.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether it claims the protections, or the work alone.
    pub(super) protected: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Palisade,
    Rust,
    Node,
}

pub(super) const ALL: [Peer; 5] = [
    Peer {
        name: BARE,
        kind: Kind::Rust,
        protected: false,
    },
    Peer {
        name: PALISADE,
        kind: Kind::Palisade,
        protected: true,
    },
    Peer {
        name: "axum-assembled",
        kind: Kind::Rust,
        protected: true,
    },
    Peer {
        name: "actix-assembled",
        kind: Kind::Rust,
        protected: true,
    },
    Peer {
        name: "express",
        kind: Kind::Node,
        protected: true,
    },
];

impl Peer {
    pub(super) fn is_node(self) -> bool {
        self.kind == Kind::Node
    }

    /// Builds it: the program and its first arguments, or nothing where this machine cannot run it.
    pub(super) fn build(self, root: &Path) -> Result<Option<Vec<PathBuf>>, String> {
        if self.is_node() {
            return node(root);
        }
        let package = format!("bench-{}", self.name);
        Ok(Some(vec![build(root, &package)?]))
    }
}

/// Each package by itself, so that no feature that another one wants is built in.
pub(super) fn build(root: &Path, package: &str) -> Result<PathBuf, String> {
    let target = root.join("target/bench");
    let mut command = cargo(&root.join("bench"));
    command
        .args(["build", "--quiet", "--release", "-p", package])
        .env("CARGO_TARGET_DIR", &target);
    output(command)?;
    Ok(target.join("release").join(package))
}

fn node(root: &Path) -> Result<Option<Vec<PathBuf>>, String> {
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !there("node") || !there("npm") {
        return Ok(None);
    }
    let folder = root.join("bench/express");
    if !folder.join("node_modules").is_dir() {
        let mut install = Command::new("npm");
        install.current_dir(&folder).args(["ci", "--no-audit"]);
        output(install)?;
    }
    Ok(Some(vec![PathBuf::from("node"), folder.join("server.js")]))
}
