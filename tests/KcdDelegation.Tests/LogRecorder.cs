using System.Collections.Concurrent;
using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests;

/// <summary>Records log entries.</summary>
internal sealed class LogRecorder : ILoggerFactory
{
    private readonly ConcurrentQueue<LogRecord> _records = new();

    public IReadOnlyList<LogRecord> Records => [.. _records];

    public ILogger CreateLogger(string categoryName) => new Recorder(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private sealed class Recorder(LogRecorder owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner._records.Enqueue(new LogRecord(category, logLevel, eventId.Id, formatter(state, exception))
            {
                Fields = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [],
            });
    }
}

internal sealed record LogRecord(string Category, LogLevel Level, int Id, string Text)
{
    public IReadOnlyList<KeyValuePair<string, object?>> Fields { get; init; } = [];

    public object? Field(string name) => Fields.FirstOrDefault(field => field.Key == name).Value;
}
