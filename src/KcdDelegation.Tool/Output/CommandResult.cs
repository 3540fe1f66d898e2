using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>The result of a command: text for people, or one JSON object for programs. The public properties are the JSON.</summary>
internal abstract record CommandResult
{
    protected static readonly JsonSerializerOptions JsonFormat = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        // The object goes to a terminal or a program, never into a web page: + and < stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    /// <summary>Gets the version of the format. It increases when a member changes its meaning or is removed, not when one is
    /// added.</summary>
    [JsonPropertyOrder(-1)]
    public int Version => 1;

    /// <summary>Returns the exit code: success unless the result itself reports a failure.</summary>
    public virtual ExitCode ToExitCode() => ExitCode.Done;

    public abstract void WriteText(OutputStream output);

    public virtual void WriteJson(TextWriter output) => output.WriteLine(JsonSerializer.Serialize(this, GetType(), JsonFormat));
}
