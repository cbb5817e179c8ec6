//! This file is where the tests of the real program and of the house rules come together.

mod house;
