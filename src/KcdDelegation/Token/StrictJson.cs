using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;

namespace KcdDelegation.Token;

/// <summary>Parses JSON that has only one interpretation.</summary>
/// <remarks>It accepts one object without duplicate members at any depth, trailing data or comments. Names and strings must be valid text
/// (RFC 8259 §8.1, §8.2).</remarks>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };
    private static readonly JsonDocumentOptions AllowingDuplicates = new() { MaxDepth = 16 };

    public static StrictJsonResult ParseObject(ReadOnlyMemory<byte> utf8, out JsonElement result)
    {
        result = default;
        // The parser validates the bytes of a string only when the string is read.
        if (!Utf8.IsValid(utf8.Span))
            return StrictJsonResult.Malformed;
        if (!TryParse(utf8, Strict, out var document))
        {
            // The parser does not distinguish duplicate members from other errors.
            if (!TryParse(utf8, AllowingDuplicates, out document))
                return StrictJsonResult.Malformed;
            using (document)
                return IsText(document.RootElement, utf8.Span) ? StrictJsonResult.DuplicateMembers : StrictJsonResult.Malformed;
        }
        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object || !IsText(document.RootElement, utf8.Span))
                return StrictJsonResult.Malformed;
            result = document.RootElement.Clone();
            return StrictJsonResult.Object;
        }
    }

    /// <summary>Determines whether every name and string can be read. An escape may encode half of a surrogate pair (<c>"\ud800"</c>, RFC
    /// 8259 §8.2).</summary>
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
        // InvalidOperationException is thrown for a member name that is not valid text, when names are compared.
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
    DuplicateMembers,
    Malformed,
}
