using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Output;

/// <summary>Brings the library's log to the error stream, a line an event. Thread-safe.</summary>
/// <param name="error">Gets the lines.</param>
/// <param name="minimum">What is below it is left out.</param>
internal sealed class StandardErrorLoggerFactory(TextWriter error, LogLevel minimum) : ILoggerFactory
{
    private readonly TextWriter _error = TextWriter.Synchronized(error);

    public ILogger CreateLogger(string categoryName) => new Logger(_error, minimum);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The command has one log.");

    public void Dispose()
    {
        // The stream belongs to whoever made it.
    }

    private sealed class Logger(TextWriter error, LogLevel minimum) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                error.WriteLine($"kcd: {logLevel.ToString().ToLowerInvariant()} {eventId.Id}: {formatter(state, exception)}");
        }
    }
}
