/** The studies, each with the claim that it repeats, its criteria and its tuning budget. */
package dev.lamina.study.experiments;
