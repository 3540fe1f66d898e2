using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>What a command found out: text for people, one JSON object for programs. The public properties are the JSON.</summary>
internal abstract record CommandResult
{
    private static readonly JsonSerializerOptions JsonFormat = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        // The object goes to a terminal or a program, never into a page: + and < stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    /// <summary>Of the object's form. Members are added without a new number; it grows when one changes its meaning or goes.</summary>
    [JsonPropertyOrder(-1)]
    public int Version => 1;

    /// <summary>Done, unless the result itself is bad news.</summary>
    public virtual ExitCode ToExitCode() => ExitCode.Done;

    public abstract void WriteText(OutputStream output);

    public void WriteJson(TextWriter output) => output.WriteLine(JsonSerializer.Serialize(this, GetType(), JsonFormat));
}
