namespace KcdDelegation.DirectoryServices.Messages;

/// <summary>The relation of distinguished names and domains (RFC 2247): <c>DC=eu,DC=contoso,DC=com</c> is eu.contoso.com.</summary>
internal static class DomainName
{
    private const string Component = "DC=";

    /// <summary>Returns the distinguished name of a domain.</summary>
    public static string ToDistinguishedName(string domain) =>
        string.Join(',', domain.Split('.', StringSplitOptions.RemoveEmptyEntries).Select(label => $"{Component}{label}"));

    /// <summary>Returns the realm of an entry's domain: the trailing DC components, in capitals. Null if there are none.</summary>
    public static string? FindRealm(string distinguishedName)
    {
        // Only trailing components count. A comma in an earlier one may be escaped, and cannot be followed by DC= at the end only.
        var labels = new Stack<string>();
        var rest = distinguishedName.AsSpan();
        while (true)
        {
            var comma = rest.LastIndexOf(',');
            var part = rest[(comma + 1)..].Trim();
            if (!part.StartsWith(Component, StringComparison.OrdinalIgnoreCase) || (comma > 0 && rest[comma - 1] == '\\'))
                break;
            labels.Push(part[Component.Length..].ToString());
            if (comma < 0)
                break;
            rest = rest[..comma];
        }
        return labels.Count == 0 ? null : string.Join('.', labels).ToUpperInvariant();
    }
}
