/** What can be seen of a training before it is run. */
package dev.lamina.train.check;
