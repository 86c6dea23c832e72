/** Searching good recipes: ranges of values, trials that draw from them, and which trials are worth more epochs. */
package dev.lamina.search;
