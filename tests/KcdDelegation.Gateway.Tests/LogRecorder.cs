using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Tests;

/// <summary>Records log entries.</summary>
internal sealed class LogRecorder : ILoggerProvider
{
    private readonly ConcurrentQueue<LogRecord> _records = new();

    public IReadOnlyList<LogRecord> Records => [.. _records];

    /// <summary>Returns the texts of an event.</summary>
    public IReadOnlyList<string> Find(int id) => [.. _records.Where(record => record.Id == id).Select(record => record.Text)];

    public ILogger CreateLogger(string categoryName) => new Recorder(this);

    public void Dispose()
    {
    }

    private sealed class Recorder(LogRecorder owner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner._records.Enqueue(new LogRecord(logLevel, eventId.Id, $"{formatter(state, exception)}{exception}"));
    }
}

internal sealed record LogRecord(LogLevel Level, int Id, string Text);
