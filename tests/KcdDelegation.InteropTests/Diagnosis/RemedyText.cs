using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>A literal part of a remedy.</summary>
/// <param name="Text">The text, with placeholders.</param>
/// <param name="Software">The directory whose command it is, or null if it does not depend on the directory.</param>
internal sealed record RemedyText(string Text, KdcSoftware? Software)
{
    public static implicit operator RemedyText(string text) => FromString(text);

    public static RemedyText FromString(string text) => new(text, null);

    public static RemedyText OnActiveDirectory(string text) => new(text, KdcSoftware.ActiveDirectory);

    public static RemedyText OnSamba(string text) => new(text, KdcSoftware.Samba);

    public static RemedyText OnMit(string text) => new(text, KdcSoftware.MitKrb5);

    public static RemedyText OnHeimdal(string text) => new(text, KdcSoftware.Heimdal);

    /// <summary>Whether the remedy for a KDC of this implementation contains the text.</summary>
    public bool IsFor(KdcSoftware kdc) => Software is null || kdc == KdcSoftware.Unknown || Software == kdc
        || (kdc == KdcSoftware.DomainController && Software is KdcSoftware.ActiveDirectory or KdcSoftware.Samba);
}
