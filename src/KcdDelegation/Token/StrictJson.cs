using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace KcdDelegation.Token;

/// <summary>JSON that has one reading: one object, no member twice at any depth, nothing behind it, no comments.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };
    private static readonly JsonDocumentOptions AllowingDuplicates = new() { MaxDepth = 16 };

    public static StrictJsonResult TryParseObject(ReadOnlyMemory<byte> utf8, out JsonElement result)
    {
        result = default;
        if (!TryParse(utf8, Strict, out var document))
        {
            // The parser does not tell the two faults apart.
            if (!TryParse(utf8, AllowingDuplicates, out document))
                return StrictJsonResult.Malformed;
            document.Dispose();
            return StrictJsonResult.MembersDoubled;
        }
        using (document)
        {
            result = document.RootElement.Clone();
            return result.ValueKind == JsonValueKind.Object ? StrictJsonResult.Object : StrictJsonResult.Malformed;
        }
    }

    private static bool TryParse(ReadOnlyMemory<byte> utf8, JsonDocumentOptions options, [NotNullWhen(true)] out JsonDocument? document)
    {
        try
        {
            document = JsonDocument.Parse(utf8, options);
            return true;
        }
        catch (JsonException)
        {
            document = null;
            return false;
        }
    }
}

internal enum StrictJsonResult
{
    Object,
    MembersDoubled,
    Malformed,
}
