/** The events for JDK Flight Recorder. Only FlightListener and FlightHeaps are loaded before the first recording. */
package dev.mimalloc.flight;
