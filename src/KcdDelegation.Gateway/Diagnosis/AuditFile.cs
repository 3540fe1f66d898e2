using System.Text;
using System.Text.Json;
using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Diagnosis;

/// <summary>Appends the decisions to a file as JSON lines. Thread-safe.</summary>
/// <remarks>The file is opened for each entry, so that a file that was moved away is created again under its name.</remarks>
internal sealed class AuditFile(string path, TimeProvider timeProvider) : ILoggerProvider
{
    private readonly Lock _lock = new();

    private DateTimeOffset Now => timeProvider.GetUtcNow();

    public ILogger CreateLogger(string categoryName) => new Writer(this, categoryName);

    public void Dispose()
    {
    }

    /// <summary>Determines whether the file has the events of a category: those of the library's audit and of the gateway, with sign-in and
    /// sign-out.</summary>
    public static bool Has(string? category) => category is Log.AuditCategory or GatewayLog.Category
        || category?.StartsWith(GatewayLog.Category + ".", StringComparison.Ordinal) == true;

    private void Write(ReadOnlySpan<byte> line)
    {
        lock (_lock)
        {
            try
            {
                Append(line);
            }
            // A disk that is full must not refuse all users. The entry goes to the log of the process instead.
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine($"The audit file cannot be written ({error.Message}): {Encoding.UTF8.GetString(line).TrimEnd()}");
            }
        }
    }

    private void Append(ReadOnlySpan<byte> line)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        // One call, so that another process never appends inside of the line.
        file.Write(line);
    }

    private sealed class Writer(AuditFile file, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && Has(category);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            using var buffer = new MemoryStream();
            using (var json = new Utf8JsonWriter(buffer))
            {
                json.WriteStartObject();
                json.WriteString("time", file.Now);
                json.WriteNumber("event", eventId.Id);
                if (eventId.Name is { } name)
                    json.WriteString("name", name);
                json.WriteString("level", logLevel.ToString());
                json.WriteString("message", formatter(state, exception));
                if (System.Diagnostics.Activity.Current is { } activity)
                    json.WriteString("activityId", activity.TraceId.ToString());
                WriteFields(json, state);
                json.WriteEndObject();
            }
            buffer.WriteByte((byte)'\n');
            file.Write(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
        }

        private static void WriteFields<TState>(Utf8JsonWriter json, TState state)
        {
            if (state is not IEnumerable<KeyValuePair<string, object?>> fields)
                return;
            json.WriteStartObject("fields");
            foreach (var (name, value) in fields)
            {
                if (name != "{OriginalFormat}")
                    json.WriteString(name, Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture));
            }
            json.WriteEndObject();
        }
    }
}
