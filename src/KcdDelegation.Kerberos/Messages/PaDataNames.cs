using System.Globalization;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The names of the types of pre-authentication data in IANA's Kerberos registry.</summary>
internal static class PaDataNames
{
    /// <summary>Returns the name and the number, or the number alone for another type.</summary>
    public static string Describe(int type)
    {
        var number = type.ToString(CultureInfo.InvariantCulture);
        return Find(type) is { } name ? $"{name} ({number})" : number;
    }

    /// <summary>Returns the name, or null if the type is not known.</summary>
    public static string? Find(int type) => type switch
    {
        1 => "PA-TGS-REQ",
        2 => "PA-ENC-TIMESTAMP",
        3 => "PA-PW-SALT",
        11 => "PA-ETYPE-INFO",
        15 => "PA-PK-AS-REQ-OLD",
        16 => "PA-PK-AS-REQ",
        19 => "PA-ETYPE-INFO2",
        128 => "PA-PAC-REQUEST",
        129 => "PA-FOR-USER",
        130 => "PA-S4U-X509-USER",
        133 => "PA-FX-COOKIE",
        136 => "PA-FX-FAST",
        138 => "PA-ENCRYPTED-CHALLENGE",
        141 => "PA-OTP-CHALLENGE",
        147 => "PA-PKINIT-KX",
        149 => "PA-REQ-ENC-PA-REP",
        150 => "PA-AS-FRESHNESS",
        151 => "PA-SPAKE",
        165 => "PA-SUPPORTED-ENCTYPES",
        167 => "PA-PAC-OPTIONS",
        _ => null,
    };
}
