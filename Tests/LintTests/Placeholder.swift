// Replaced with the tests of this module.
