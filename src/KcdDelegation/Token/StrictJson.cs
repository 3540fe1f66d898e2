using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;

namespace KcdDelegation.Token;

/// <summary>JSON that has one reading: one object, no member twice at any depth, nothing behind it, no comments, and names and strings that
/// are text (RFC 8259 §8.1, §8.2), so that whoever reads the result meets no surprise.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };
    private static readonly JsonDocumentOptions AllowingDuplicates = new() { MaxDepth = 16 };

    public static StrictJsonResult TryParseObject(ReadOnlyMemory<byte> utf8, out JsonElement result)
    {
        result = default;
        // The parser looks at the bytes of a string only when it is read.
        if (!Utf8.IsValid(utf8.Span))
            return StrictJsonResult.Malformed;
        if (!TryParse(utf8, Strict, out var document))
        {
            // The parser does not tell the faults apart.
            if (!TryParse(utf8, AllowingDuplicates, out document))
                return StrictJsonResult.Malformed;
            using (document)
                return IsText(document.RootElement, utf8.Span) ? StrictJsonResult.MembersDoubled : StrictJsonResult.Malformed;
        }
        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object || !IsText(document.RootElement, utf8.Span))
                return StrictJsonResult.Malformed;
            result = document.RootElement.Clone();
            return StrictJsonResult.Object;
        }
    }

    /// <summary>Whether every name and string can be read: an escape may stand for half a character (<c>"\ud800"</c>, RFC 8259
    /// §8.2).</summary>
    private static bool IsText(JsonElement root, ReadOnlySpan<byte> utf8)
    {
        if (!utf8.Contains((byte)'\\'))
            return true;
        try
        {
            ReadAll(root);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static void ReadAll(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    _ = member.Name;
                    ReadAll(member.Value);
                }
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    ReadAll(item);
                break;
            case JsonValueKind.String:
                _ = element.GetString();
                break;
        }
    }

    private static bool TryParse(ReadOnlyMemory<byte> utf8, JsonDocumentOptions options, [NotNullWhen(true)] out JsonDocument? document)
    {
        try
        {
            document = JsonDocument.Parse(utf8, options);
            return true;
        }
        // The latter for the name of a member that is no text, where names are compared.
        catch (Exception error) when (error is JsonException or InvalidOperationException)
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
