using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Output;

/// <summary>Writes the log of the library to standard error, one line per event. Thread-safe.</summary>
/// <param name="error">The writer.</param>
/// <param name="minimum">The lowest level that is written.</param>
internal sealed class StandardErrorLoggerFactory(TextWriter error, LogLevel minimum) : ILoggerFactory
{
    private readonly TextWriter _error = TextWriter.Synchronized(error);

    public ILogger CreateLogger(string categoryName) => new Logger(_error, minimum);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The command has one log.");

    public void Dispose()
    {
        // The caller owns the writer.
    }

    private sealed class Logger(TextWriter error, LogLevel minimum) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum && logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            var message = LabelledLines.ToPrintable(formatter(state, exception));
            error.WriteLine($"kcd: {logLevel.ToString().ToLowerInvariant()} {eventId.Id}: {message}");
        }
    }
}
