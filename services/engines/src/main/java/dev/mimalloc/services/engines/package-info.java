/** Engines of many nodes, each a program that is told what to do over a port of the loopback. */
package dev.mimalloc.services.engines;
