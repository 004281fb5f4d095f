//! Apps that are really served; a binary of its own, since every statement of a binary is checked when its app starts.

mod app;
mod harness;
mod layers;
mod leaks;
mod limits;
mod origins;
mod pages;
mod perimeter;
mod serving;
mod unserved;
mod watched;
