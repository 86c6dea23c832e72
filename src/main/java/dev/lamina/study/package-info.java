/**
 * What a study of a published claim is made of: its setting, the trainings and graphs that it drives, the tables,
 * figures and verdicts that come out. The studies themselves are in {@code experiments}.
 */
package dev.lamina.study;
