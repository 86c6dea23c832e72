/** Networks by name. */
package dev.lamina.nn.models;
