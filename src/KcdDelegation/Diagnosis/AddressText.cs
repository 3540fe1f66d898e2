namespace KcdDelegation.Diagnosis;

/// <summary>Addresses in a form that is safe in logs, exceptions and error pages: without user information, which may contain a password
/// (RFC 3986 §7.5).</summary>
internal static class AddressText
{
    /// <summary>Returns the address with unsafe characters replaced.</summary>
    public static string From(string? address) => PrintableText.From(RemoveUserInformation(address));

    /// <summary>Returns the address in quotation marks.</summary>
    public static string Quoted(string? address) => PrintableText.Quoted(RemoveUserInformation(address));

    /// <summary>Replaces the user information of an address.</summary>
    /// <remarks>In text that is not an address, everything before the last <c>@</c> may be user information.</remarks>
    private static string? RemoveUserInformation(string? address)
    {
        if (address is null || !address.Contains('@', StringComparison.Ordinal))
            return address;
        var slashes = address.IndexOf("//", StringComparison.Ordinal);
        var start = slashes < 0 ? 0 : slashes + 2;
        var end = address.Length;
        if (Uri.TryCreate(address, UriKind.Absolute, out var url) && slashes >= 0 && url.Host.Length > 0)
        {
            if (url.UserInfo.Length == 0)
                return address;
            end = address.AsSpan(start).IndexOfAny("/?#") is >= 0 and var path ? start + path : end;
        }
        var at = address.LastIndexOf('@', end - 1);
        return at < start ? $"...{address[at..]}" : $"{address[..start]}...{address[at..]}";
    }
}
